"""verdict.md: the verdict in words for somebody who decides, not for somebody who counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from burnish.core.files import dump_json, read_json, write_json, write_text
from burnish.core.run_folder import RunFolder
from burnish.evals.effects.table import effect_tables
from burnish.evals.further import Section, further_sections
from burnish.evals.retrainings import read_spread, spread_rows, spread_sentences
from burnish.evals.sampling import sampling_sentence
from burnish.evals.statistics import Mean
from burnish.evals.verdict import judge_folder
from burnish.evals.verdict_records import ArmScores, Comparison, Drift, SuiteVerdict, TaskVerdict, Verdict
from burnish.evals.wording import PERCENT, difference_text, metric_name, metric_title, p_text, score_text, visible

_ACTIVE = re.compile(r"([\\`*_\[\]|~$])")


def escaped(text: str) -> str:
    """Text of unknown origin for the inside of a line of Markdown: one line, no markup, no HTML."""
    line = " ".join(visible(text).split())
    return _ACTIVE.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def fenced(text: str) -> str:
    """Text of unknown origin as a block of code that nothing inside can close."""
    runs = [len(run) for run in re.findall("`+", text)]
    fence = "`" * max(3, *(run + 1 for run in runs), 3)
    return f"{fence}text\n{visible(text)}\n{fence}"


def headline(verdict: Verdict) -> str:
    """The outcome in one sentence each, such as "BETTER at the task. Memory: KEPT."."""
    task = {"BETTER": "BETTER", "WORSE": "WORSE", "NOT PROVEN": "NOT PROVEN better"}[verdict.task.outcome]
    return f"{task} at the task. Memory: {verdict.memory.outcome}."


def summary(verdict: Verdict) -> str:
    """The closest comparison in a sentence: by how much, against whom, on how many rows."""
    closest = min(verdict.task.comparisons, key=lambda comparison: comparison.low)
    return (
        f"{metric_title(closest.metric)} against {arm_name(closest.opponent)}: "
        f"{difference_text(closest.metric, closest.delta)} "
        f"({interval_text(closest)} with {verdict.task.confidence} confidence) on {closest.n} rows that training never "
        "saw."
    )


def arm_name(arm: str) -> str:
    """An arm as a reader knows it."""
    names = {"base": "the base model", "prompted": "the base model, well prompted", "tuned": "the specialist"}
    if re.fullmatch(r"\d+ examples", arm):
        return f"the base model with {arm}"
    return names.get(arm, arm)


def interval_text(value: Comparison | SuiteVerdict) -> str:
    """ "+4.1 to +20.4", in the metric's unit."""
    low, high = (difference_text(value.metric, bound, unit=False) for bound in (value.low, value.high))
    return f"{low} to {high}"


def mean_text(metric: str, mean: Mean) -> str:
    """ "82.5 % (74.7 to 88.3)"."""
    low, high = (score_text(metric, bound).removesuffix(PERCENT) for bound in (mean.low, mean.high))
    return f"{score_text(metric, mean.mean)} ({low} to {high})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def shown_metrics(arms: Sequence[ArmScores]) -> list[str]:
    """All metrics that every arm has, in the order of the first arm."""
    return [metric for metric in arms[0].metrics if all(metric in arm.metrics for arm in arms)]


def tries_text(task: TaskVerdict) -> str:
    """A sentence where this was not the first specialist judged on these rows; else nothing."""
    if task.tries == 1:
        return ""
    return (
        f" This is specialist number {task.tries} that was judged on these rows. The best of many tries looks better "
        f"than it is, so the intervals are of {task.confidence} instead of 95 %."
    )


def _task_section(verdict: Verdict) -> str:
    task = verdict.task
    metrics = shown_metrics(task.arms)
    arms = [
        [escaped(arm_name(arm.arm)), *(mean_text(metric, arm.metrics[metric]) for metric in metrics)]
        for arm in task.arms
    ]
    comparisons = [
        [
            escaped(arm_name(one.opponent)),
            difference_text(one.metric, one.delta),
            interval_text(one),
            p_text(one.p_holm),
            f"{one.won} / {one.lost} / {one.n - one.won - one.lost}",
        ]
        for one in task.comparisons
    ]
    return "\n\n".join(
        [
            f"## The task ({task.n} rows)",
            escaped(task.reason) + tries_text(task),
            _table(["arm", *(f"{escaped(metric_name(metric))} (95 %)" for metric in metrics)], arms),
            _table(
                ["the specialist against", "difference", f"{task.confidence} interval", "p", "won / lost / same"],
                comparisons,
            ),
            f"What this test could show: {task.could_show}",
            *filter(None, [sampling_sentence(task.sampling, task.metric, verdict.specialist)]),
        ]
    )


def _suite_row(suite: SuiteVerdict) -> list[str]:
    key = "accuracy" if suite.metric == "correct" else suite.metric
    base, tuned = (score_text(suite.metric, arm.metrics[key].mean) for arm in suite.arms)
    margin = difference_text(suite.metric, -suite.margin)
    change = difference_text(suite.metric, suite.delta)
    name = f"{escaped(suite.suite)}: {escaped(metric_name(suite.metric))}"
    return [name, base, tuned, change, interval_text(suite), margin, suite.outcome]


def _memory_section(verdict: Verdict) -> str:
    memory = verdict.memory
    parts = [f"## Memory: {memory.outcome}", escaped(memory.reason)]
    if memory.suites:
        head = ["suite", "before", "after", "change", "90 % interval", "margin", "outcome"]
        parts.append(_table(head, [_suite_row(suite) for suite in memory.suites]))
        parts.append("A change below zero is a loss. Each end of the interval is a one-sided 5 % bound.")
        parts += [
            f"- **{escaped(suite.suite)}**: {escaped(suite.reason)} Why this margin: {escaped(suite.margin_reason)}. "
            f"{escaped(suite.could_show)}"
            for suite in memory.suites
        ]
    if memory.drift is not None:
        parts.append(f"**Drift**: {drift_text(memory.drift)}")
    return "\n\n".join(parts)


def drift_text(drift: Drift) -> str:
    """How far the specialist has moved, and why that is no verdict."""
    kl, same = mean_text("kl", drift.kl), mean_text("same_token", drift.same_token)
    return (
        f"on the base's own answers to {drift.kl.n} general prompts ({drift.tokens} tokens) the specialist's "
        f"next-token distribution is {kl} nats a token away from the base's (KL), and both hold the same token for the "
        f"likeliest at {same} of them. This has no outcome: a specialist is meant to differ, and only the suites tell "
        "whether that costs anything."
    )


def arm_names(verdict: Verdict) -> dict[str, str]:
    """Every arm of a verdict with its name for a reader."""
    return {arm: arm_name(arm) for arm in (verdict.base, verdict.specialist, *(one.arm for one in verdict.task.arms))}


def _effects_section(verdict: Verdict) -> str:
    tables = effect_tables(verdict.effects, arm_names(verdict), verdict.task.metric)
    parts = ["## Side effects", "They inform; nothing of this decides the verdict."] if tables else []
    for table in tables:
        cells = [[escaped(cell) for cell in row] for row in table.rows]
        parts += [f"**{escaped(table.title)}**", _table([escaped(cell) for cell in table.head], cells)]
        parts += [escaped(table.remark)] if table.remark else []
    return "\n\n".join(parts)


def prompt_text(plan: Mapping[str, Any]) -> str:
    """The prompt that won on dev and was given to the opponent `prompted`; empty when there was none."""
    prompt = plan.get("prompted", {}).get("prompt", "")
    return prompt if isinstance(prompt, str) else dump_json(prompt)


def other_prompts(plan: Mapping[str, Any]) -> dict[str, str]:
    """Opponent → the prompt that won on dev, of those besides `prompted` that were given one."""
    made = {**plan.get("fixed", {}), **plan.get("others", {})}
    return {name: str(one["prompt"]) for name, one in made.items() if "winner" in one}


_METHOD = """## How this was decided

Every arm answered the same rows under the same decoding rule, and the scores were compared row by row. These rows were
kept out of training and out of every choice: the prompt of the opponent was chosen on `dev`.

- **Task.** BETTER: the whole {confidence} interval of the difference is above zero against every opponent. WORSE: it is
  below zero against any of them (Holm's correction). Otherwise NOT PROVEN, which does not mean equal.
- **Memory.** KEPT: on every suite that counts, a loss as large as the margin is ruled out (one-sided 5 %). FORGOTTEN:
  on some suite the loss is shown to exceed the margin (Holm's correction). Otherwise NOT PROVEN.
- **Methods.** {methods}. Seed {seed}. The verdict is about these weights, not about training again.
"""


def methods_text(verdict: Verdict) -> str:
    """The statistical methods that were used, each once."""
    task, memory = verdict.task.comparisons, verdict.memory.suites
    return "; ".join(dict.fromkeys([*(one.method for one in task), *(one.method for one in memory)]))


def _further(section: Section) -> str:
    """A section that stands beside the verdict, as Markdown."""
    table = [_table(section.head, [list(map(escaped, row)) for row in section.rows])] if section.rows else []
    return "\n\n".join([f"## {section.title}", *map(escaped, section.lines), *table, *map(escaped, section.notes)])


def verdict_markdown(verdict: Verdict, plan: Mapping[str, Any], further: Sequence[Section] = ()) -> str:
    """verdict.md, from the verdict and the content of arms.json. Its first two lines are the outcome."""
    parts = [f"**{headline(verdict)}**\n{escaped(summary(verdict))}", _task_section(verdict)]
    parts += [*map(_further, further), _memory_section(verdict)]
    parts += filter(None, [_effects_section(verdict)])
    if prompt_text(plan):
        parts.append(f"## The prompt of the opponent `prompted`\n\n{fenced(prompt_text(plan))}")
    parts += [
        f"## The prompt of the opponent {escaped(name)}\n\n{fenced(prompt)}"
        for name, prompt in other_prompts(plan).items()
    ]
    parts.append(_METHOD.format(methods=methods_text(verdict), seed=verdict.seed, confidence=verdict.task.confidence))
    return "\n\n".join(parts)


def _seeds_section(folder: RunFolder) -> str:
    """How trainings with other seeds came out, where there were any."""
    spread = read_spread(folder)
    if spread is None:
        return ""
    head, *rows = ([escaped(cell) for cell in row] for row in spread_rows(spread))
    return "\n\n".join(["\n## Trained again", _table(head, rows), *map(escaped, spread_sentences(spread))]) + "\n"


def write_verdict(folder: RunFolder) -> Verdict:
    """Judges the items of a run and writes verdict.json and verdict.md."""
    verdict = judge_folder(folder)
    write_json(folder.verdict_json, verdict.to_json())
    markdown = verdict_markdown(verdict, read_json(folder.arms), further_sections(folder, verdict, arm_name))
    write_text(folder.verdict_md, markdown + _seeds_section(folder))
    return verdict
