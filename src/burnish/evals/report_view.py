"""What report.html shows, worked out before the template: texts, drawings and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from burnish.evals.report_plots import Axis, axis_around, interval_plot, loss_curve, tick_labels
from burnish.evals.statistics import Mean
from burnish.evals.verdict_records import ArmScores, SuiteVerdict, TaskVerdict, Verdict
from burnish.evals.verdict_text import arm_name, interval_text, mean_text, shown_metrics, tries_text
from burnish.evals.wording import difference_text, in_percent, metric_name, metric_title, p_text, score_text, visible

MOST_FACTS = 80
LONGEST_FACT = 200

KINDS = {"BETTER": "good", "KEPT": "good", "WORSE": "bad", "FORGOTTEN": "bad"}


def kind_of(outcome: str) -> str:
    """The colour class of an outcome."""
    return KINDS.get(outcome, "open")


@dataclass(frozen=True)
class PlotRow:
    """A line of a chart: name, drawing, numbers, and a remark below."""

    name: str
    plot: Markup
    numbers: str
    remark: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Chart:
    """Lines that share an axis."""

    title: str
    rows: tuple[PlotRow, ...]
    ticks: Markup
    note: str = ""


def _mean_of(arm: ArmScores, metric: str) -> Mean:
    return arm.metrics["accuracy" if metric == "correct" else metric]


def scores_chart(task: TaskVerdict, specialist: str) -> Chart:
    """Every arm's mean of the primary metric with its interval."""
    means = [(arm.arm, _mean_of(arm, task.metric)) for arm in task.arms]
    ends = [bound for _, mean in means for bound in (mean.low, mean.high)]
    axis = Axis(0.0, 1.0) if in_percent(task.metric) and min(ends) >= 0 else axis_around(ends)
    rows = [
        PlotRow(
            visible(arm_name(arm)).removeprefix("the ").capitalize(),
            interval_plot(
                mean.mean,
                mean.low,
                mean.high,
                axis,
                label=f"{arm_name(arm)}: {mean_text(task.metric, mean)}",
                kind="tuned" if arm == specialist else "",
            ),
            mean_text(task.metric, mean),
        )
        for arm, mean in means
    ]
    ticks = [(value, score_text(task.metric, value).replace(".0", "")) for value in axis.ticks()]
    title = f"{metric_title(task.metric)}, mean over {task.n} rows with 95 % interval"
    return Chart(title, tuple(rows), tick_labels(axis, ticks))


def comparisons_chart(task: TaskVerdict) -> Chart:
    """The specialist's gain over every opponent with its interval, and the line of no difference."""
    axis = axis_around([0.0, *(bound for one in task.comparisons for bound in (one.low, one.high))], least=0.02)
    rows = [
        PlotRow(
            f"Against {visible(arm_name(one.opponent))}",
            interval_plot(
                one.delta,
                one.low,
                one.high,
                axis,
                label=f"{difference_text(one.metric, one.delta)}, interval {interval_text(one)}",
                kind="good" if one.low > 0 else "bad" if one.high < 0 else "open",
                marks=(0.0,),
            ),
            f"{difference_text(one.metric, one.delta)} ({interval_text(one)})",
            f"won {one.won}, lost {one.lost}, same {one.n - one.won - one.lost}; p {p_text(one.p_holm)}",
        )
        for one in task.comparisons
    ]
    ticks = [(value, difference_text(task.metric, value, unit=False).replace(".0", "")) for value in axis.ticks()]
    ticks = [(value, "0" if abs(value) < 1e-12 else text) for value, text in ticks]
    return Chart(
        f"Gain of the specialist, with {task.confidence} interval",
        tuple(rows),
        tick_labels(axis, ticks),
        task.could_show + tries_text(task),
    )


def memory_chart(suites: Sequence[SuiteVerdict]) -> Chart:
    """Every suite's change in units of its own margin: left of the dashed line more is lost than is tolerated."""
    furthest = max([2.0, *(abs(bound) / suite.margin for suite in suites for bound in (suite.low, suite.high))])
    axis = Axis(-min(furthest, 4.0) * 1.1, min(furthest, 4.0) * 1.1)
    rows = [
        PlotRow(
            visible(f"{suite.suite.replace('_', ' ').capitalize()}: {metric_name(suite.metric)}"),
            interval_plot(
                suite.delta / suite.margin,
                suite.low / suite.margin,
                suite.high / suite.margin,
                axis,
                label=f"{difference_text(suite.metric, suite.delta)}, bounds {interval_text(suite)}",
                kind=kind_of(suite.outcome),
                marks=(0.0, -1.0),
            ),
            f"{difference_text(suite.metric, suite.delta)} ({interval_text(suite)})",
            f"{_before_after(suite)} on {suite.n} items. {suite.reason} Why this margin: {suite.margin_reason}.",
            suite.outcome,
        )
        for suite in suites
    ]
    ticks = tick_labels(axis, [(-1.0, "− margin"), (0.0, "0")])
    return Chart("Change of what the base model knew, with one-sided 5 % bounds", tuple(rows), ticks)


def _before_after(suite: SuiteVerdict) -> str:
    before, after = (score_text(suite.metric, _mean_of(arm, suite.metric).mean) for arm in suite.arms)
    accuracy = [arm.metrics["accuracy"].mean for arm in suite.arms if "accuracy" in arm.metrics]
    text = f"{before} before, {after} after"
    if len(accuracy) == 2 and suite.metric != "correct":
        text += f" (accuracy {score_text('accuracy', accuracy[0])} before, {score_text('accuracy', accuracy[1])} after)"
    return text


def metrics_table(task: TaskVerdict) -> list[list[str]]:
    """All metrics by arm; the first row is the head."""
    metrics = shown_metrics(task.arms)
    head = ["", *(visible(arm_name(arm.arm)).removeprefix("the ").capitalize() for arm in task.arms)]
    body = [
        [visible(metric_name(metric)), *(mean_text(metric, arm.metrics[metric]) for arm in task.arms)]
        for metric in metrics
    ]
    return [head, *body]


def training_curve(metrics: Sequence[Mapping[str, Any]], training: Mapping[str, Any]) -> tuple[Markup, str]:
    """The drawing of metrics.jsonl, and a sentence on the checkpoint that was kept.

    That step is the one chosen under `protect`, else training.json's `best_step`, else the one with the lowest loss
    on dev.
    """
    train = [(float(line["step"]), float(line["loss"])) for line in metrics if line.get("loss") is not None]
    dev = [(float(line["step"]), float(line["dev_loss"])) for line in metrics if line.get("dev_loss") is not None]
    lowest = min(dev, key=lambda point: point[1])[0] if dev else None
    choice = training.get("choice") or {}
    chosen = choice.get("step", training.get("best_step", lowest))
    by_step = dict(dev)
    note = f"Kept: step {chosen:g}" if chosen is not None else ""
    note += f", loss {by_step[chosen]:.3f} on dev." if chosen in by_step else "." if note else ""
    return loss_curve(train, dev, chosen_step=chosen), note


def facts(value: Any, name: str = "") -> list[tuple[str, str]]:
    """A JSON document as lines of dotted name and value, at most `MOST_FACTS`."""
    if isinstance(value, Mapping):
        lines = [line for key, inner in value.items() for line in facts(inner, f"{name}.{key}" if name else str(key))]
    elif isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
        lines = [line for place, inner in enumerate(value) for line in facts(inner, f"{name}[{place}]")]
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        text = visible(text)
        lines = [(visible(name), text if len(text) <= LONGEST_FACT else text[:LONGEST_FACT] + " …")]
    return lines[:MOST_FACTS]


def outcome_tiles(verdict: Verdict) -> list[tuple[str, str, str, str]]:
    """(side, outcome, colour class, reason) of the two halves of the verdict."""
    task, memory = verdict.task, verdict.memory
    return [
        ("Task", task.outcome, kind_of(task.outcome), visible(task.reason)),
        ("Memory", memory.outcome, kind_of(memory.outcome), visible(memory.reason)),
    ]
