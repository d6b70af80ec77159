"""What is done and what is stale. A stage that finished on the same inputs is skipped, an unfinished one goes on,
and one whose inputs changed is refused by name, never mixed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burnish.core.errors import RecipeError
from burnish.core.files import read_json, write_json
from burnish.core.run_folder import RunFolder

STAGES = ("prepare", "train", "evaluate", "export")


def flatten(settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """{"epochs": 3} → {"train.epochs": 3}, for naming what changed."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{prefix}.{key}"
        flat.update(flatten(value, name) if isinstance(value, Mapping) else {name: value})
    return flat


def outputs(run: RunFolder, stage: str) -> list[Path]:
    """Everything that a stage writes."""
    return {
        "prepare": [run.data],
        "train": [run.metrics, run.timings, run.checkpoints, run.reference, run.probe, run.own_answers, run.adapter,
                  run.model, run.training],
        "evaluate": [
            run.arms,
            run.items,
            run.asked,
            run.judged,
            run.seeds,
            run.verdict_json,
            run.verdict_md,
            run.report,
        ],
        "export": [run.export, run.card],
    }[stage]  # fmt: skip


def read_stages(run: RunFolder) -> dict[str, Any]:
    """The content of stages.json; empty for a new run."""
    return dict(read_json(run.stages)) if run.stages.exists() else {}


def begin(run: RunFolder, stage: str, inputs: Mapping[str, Any], *, fresh: bool) -> bool:
    """Readies a stage. False when it is finished on exactly these inputs.

    Raises RecipeError: it was begun on other inputs and `fresh` was not asked for.
    """
    record = read_stages(run).get(stage)
    if fresh:
        forget(run, stage)
    elif record is not None:
        _refuse_changes(run, stage, record["inputs"], inputs)
        if record["finished"] and all((run.path / name).exists() for name in record["wrote"]):
            return False
    stages = read_stages(run)
    stages[stage] = {"inputs": dict(inputs), "finished": False, "seconds": 0.0, "wrote": []}
    if record is not None and not fresh:
        stages[stage]["seconds"] = record["seconds"]
    write_json(run.stages, stages)
    return True


def _refuse_changes(run: RunFolder, stage: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    changed = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    if changed:
        key = changed[0]
        more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
        raise RecipeError(
            f"`{key}` is not what this run's {stage} stage was begun with{more}.",
            where=str(run.path),
            seen=f"was {_short(before.get(key))}, is {_short(now.get(key))}",
            next_move="choose another --name, or do this stage and those after it again with --fresh",
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def finish(run: RunFolder, stage: str, started: float) -> float:
    """Marks a stage as whole and returns the seconds it took, over all attempts."""
    stages = read_stages(run)
    record = stages[stage]
    record["finished"] = True
    record["seconds"] = round(record["seconds"] + time.monotonic() - started, 1)
    record["wrote"] = [str(path.relative_to(run.path)) for path in outputs(run, stage) if path.exists()]
    write_json(run.stages, stages)
    return float(record["seconds"])


def note_time(run: RunFolder, stage: str, started: float) -> None:
    """Keeps the seconds of an attempt that did not finish."""
    stages = read_stages(run)
    if stage in stages:
        stages[stage]["seconds"] = round(stages[stage]["seconds"] + time.monotonic() - started, 1)
        write_json(run.stages, stages)


def forget(run: RunFolder, stage: str) -> None:
    """Removes what this stage and those after it wrote."""
    stages = read_stages(run)
    for later in STAGES[STAGES.index(stage) :]:
        stages.pop(later, None)
        for path in outputs(run, later):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    if run.stages.exists():
        write_json(run.stages, stages)


def finished(run: RunFolder, stage: str) -> bool:
    """Whether a stage of this run is whole."""
    return bool(read_stages(run).get(stage, {}).get("finished"))
