"""report.html: one file that shows what was compared and what came out. No network, no script, nothing to install.

The template escapes everything; the page's own policy forbids scripts, images, frames and any connection, and allows
one style sheet, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from burnish.core.files import read_json, read_jsonl, write_text
from burnish.core.run_folder import RunFolder
from burnish.evals.further import further_sections
from burnish.evals.report_rows import row_groups
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
from burnish.evals.verdict_text import (
    arm_name,
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
    metrics = read_jsonl(folder.metrics) if folder.metrics.exists() else []
    curve, curve_note = training_curve(metrics, _optional_json(folder.training))
    task, spread = verdict.task, read_spread(folder)
    groups = row_groups(
        scored_items(folder, verdict),
        specialist=verdict.specialist,
        opponents=[comparison.opponent for comparison in task.comparisons],
        metric=task.metric,
        higher_is_better=task.higher_is_better,
    )
    return {
        "name": visible(folder.name),
        "headline": headline(verdict),
        "summary": visible(summary(verdict)),
        "tiles": outcome_tiles(verdict),
        "scores": scores_chart(task, verdict.specialist),
        "comparisons": comparisons_chart(task),
        "metrics": metrics_table(task),
        "memory": memory_chart(verdict.memory.suites) if verdict.memory.suites else None,
        "drift": drift_text(verdict.memory.drift) if verdict.memory.drift else "",
        "further": further_sections(folder, verdict, arm_name),
        "curve": curve,
        "curve_note": curve_note,
        "groups": groups,
        "shown": sum(len(group.rows) for group in groups),
        "total": task.n,
        "specialist": verdict.specialist,
        "arm_name": lambda arm: visible(arm_name(arm)).removeprefix("the ").capitalize(),
        "prompt": visible(prompt_text(plan)),
        "other_prompts": {visible(name): visible(prompt) for name, prompt in other_prompts(plan).items()},
        "sampling": sampling_sentence(task.sampling, task.metric, verdict.specialist),
        "seeds": [[visible(cell) for cell in row] for row in spread_rows(spread)] if spread else [],
        "seeds_say": spread_sentences(spread) if spread else [],
        "methods": methods_text(verdict),
        "seed": verdict.seed,
        "confidence": task.confidence,
        "environment": facts(_optional_json(folder.environment)),
        "card": facts(_optional_json(folder.data_card)),
    }


def render_report(context: Mapping[str, Any]) -> str:
    """The page, with its style sheet inside."""
    style = (resources.files("burnish.evals") / "templates" / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    templates = Environment(
        loader=PackageLoader("burnish.evals", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("report.html.j2").render(context, style=Markup(style), style_hash=f"sha256-{digest}")


def write_report(folder: RunFolder) -> None:
    """Writes report.html from the files of an evaluated run. Raises BurnishError: one of them is absent."""
    write_text(folder.report, render_report(report_context(folder)))
