"""report.html: one file that shows what was compared and what came out. No network, nothing to install.

The template escapes everything; the page's own policy forbids images, frames and any connection, and allows one style
sheet and one script, each by its hash. The script filters rows and marks differences; without it all rows are there.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from burnish.core.files import read_json, read_jsonl, write_text
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals.effects.table import effect_tables
from burnish.evals.further import further_sections
from burnish.evals.paired_items import suite_of
from burnish.evals.report_calibration import reliability_plot
from burnish.evals.report_confusion import confusion_matrix, confusion_table
from burnish.evals.report_probe import probe_curve
from burnish.evals.report_rows import KINDS, MOST_ROWS, Compared, row_groups
from burnish.evals.report_slices import slice_tables
from burnish.evals.report_view import (
    comparisons_chart,
    facts,
    memory_chart,
    metrics_table,
    outcome_tiles,
    scores_chart,
    training_curve,
)
from burnish.evals.retrainings import read_spread, spread_rows, spread_sentences
from burnish.evals.sampling import sampling_sentence
from burnish.evals.verdict import read_verdict, scored_items
from burnish.evals.verdict_plan import TaskPlan, plan_of
from burnish.evals.verdict_records import Verdict
from burnish.evals.verdict_text import (
    arm_name,
    arm_names,
    drift_text,
    headline,
    methods_text,
    other_prompts,
    prompt_text,
    summary,
)
from burnish.evals.wording import visible


def _optional_json(path: Path) -> Mapping[str, Any]:
    content = read_json(path) if path.exists() else {}
    return content if isinstance(content, Mapping) else {"content": content}


def report_context(folder: RunFolder) -> dict[str, Any]:
    """All that the template needs, from the files of a run. Raises BurnishError: a file is absent or unreadable."""
    verdict, plan = read_verdict(folder), read_json(folder.arms)
    items = scored_items(folder, verdict)
    metrics = read_jsonl(folder.metrics) if folder.metrics.exists() else []
    curve, curve_note = training_curve(metrics, _optional_json(folder.training))
    probed, probe_note = probe_curve(_optional_json(folder.training))
    card = _optional_json(folder.data_card)
    task, spread = verdict.task, read_spread(folder)
    return {
        "name": visible(folder.name),
        "headline": headline(verdict),
        "summary": visible(summary(verdict)),
        "tiles": outcome_tiles(verdict),
        "scores": scores_chart(task, verdict.specialist),
        "comparisons": comparisons_chart(task),
        "metrics": metrics_table(task),
        "planned": visible(str(card.get("test_can_show", ""))),
        "memory": memory_chart(verdict.memory.suites) if verdict.memory.suites else None,
        "drift": drift_text(verdict.memory.drift) if verdict.memory.drift else "",
        "further": further_sections(folder, verdict, arm_name),
        "curve": curve,
        "curve_note": curve_note,
        "probed": probed,
        "probe_note": probe_note,
        "specialist": verdict.specialist,
        "arm_name": _shown_arm,
        "prompt": visible(prompt_text(plan)),
        "other_prompts": {visible(name): visible(prompt) for name, prompt in other_prompts(plan).items()},
        "sampling": sampling_sentence(task.sampling, task.metric, verdict.specialist),
        "seeds": [[visible(cell) for cell in row] for row in spread_rows(spread)] if spread else [],
        "seeds_say": spread_sentences(spread) if spread else [],
        "methods": methods_text(verdict),
        "seed": verdict.seed,
        "confidence": task.confidence,
        "environment": facts(_optional_json(folder.environment)),
        "card": facts(card),
        **_answers(items, verdict, plan_of(plan).task),
    }


def _shown_arm(arm: str) -> str:
    return visible(arm_name(arm)).removeprefix("the ").capitalize()


def _answers(items: Sequence[Item], verdict: Verdict, plan: TaskPlan) -> dict[str, Any]:
    """What the report shows of single answers: slices, confusions, side effects, rows."""
    task, names = verdict.task, {arm: _shown_arm(arm) for arm in arm_names(verdict)}
    arms = [one.arm for one in task.arms]
    suite = suite_of(items, "task", arms)
    ours, first = suite.arms[verdict.specialist], suite.arms[arms[0]]
    labels = plan.labels or tuple(sorted({item.expected or "" for item in ours}))
    is_label = plan.shape == "label"
    groups = row_groups(items, _compared(items, verdict))
    return {
        "slices": slice_tables(suite, plan, names),
        "confusions": confusion_table(ours, first, labels) if is_label else None,
        "matrix": confusion_matrix(ours, labels) if is_label else None,
        "effects": effect_tables(verdict.effects, names, task.metric),
        "reliability": reliability_plot(verdict.effects.calibration if verdict.effects else (), verdict.specialist),
        "groups": groups,
        "kinds": KINDS,
        "arms": arms,
        "shown": sum(len(group.rows) for group in groups),
        "total": sum(group.total for group in groups),
    }


def _compared(items: Sequence[Item], verdict: Verdict) -> list[Compared]:
    """The task, and the suites that hold answers."""
    task = verdict.task
    shown = [Compared("task", task.metric, task.higher_is_better, tuple(one.arm for one in task.arms), MOST_ROWS)]
    answered = {item.suite for item in items if item.output}
    return shown + [
        Compared(one.suite, one.metric, one.higher_is_better, (verdict.base, verdict.specialist))
        for one in verdict.memory.suites
        if one.suite in answered
    ]


def _part(name: str) -> tuple[Markup, str]:
    """A file of the page that needs no filling in, and its hash as a policy names it."""
    text = (resources.files("burnish.evals") / "templates" / name).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return Markup(text), f"sha256-{digest}"


def render_report(context: Mapping[str, Any]) -> str:
    """The page, with its style sheet and script inside."""
    (style, style_hash), (script, script_hash) = _part("report.css"), _part("report.js")
    templates = Environment(
        loader=PackageLoader("burnish.evals", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["visible"] = visible
    page = templates.get_template("report.html.j2")
    return page.render(context, style=style, style_hash=style_hash, script=script, script_hash=script_hash)


def write_report(folder: RunFolder) -> None:
    """Writes report.html from the files of an evaluated run. Raises BurnishError: one of them is absent."""
    write_text(folder.report, render_report(report_context(folder)))
