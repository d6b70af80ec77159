"""Burnish's side: the real `burnish train` on a recipe, read back from the run's folder."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import WARM_STEPS, Options, run_child, run_module
from benchmarks.inputs import RowFiles
from burnish.core.files import read_json, read_jsonl, write_json

SFT = {"type": "sft"}
RATE = {"lora": 2e-4, "full": 2e-5}


@dataclass(frozen=True)
class Training:
    """One run of either side, a value a step in each list. `rows` counts rows or pairs, `tokens` real tokens."""

    side: str
    seconds: Sequence[float]
    tokens: Sequence[int]
    rows: Sequence[int]
    losses: Sequence[float]
    peak_mb: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    def per_second(self, unit: str) -> float:
        """Rows or tokens a second after the warm-up steps."""
        units = self.tokens if unit == "tokens" else self.rows
        return sum(units[WARM_STEPS:]) / sum(self.seconds[WARM_STEPS:])


def model_folder(options: Options) -> Path:
    """The 135M model as a transformers folder in bf16, made once."""
    folder = options.work / "smollm2-135m-bf16"
    if not folder.is_dir():
        run_module("benchmarks.materials", "model", folder, threads=options.threads,
                   log=options.work / "logs" / "model.log")  # fmt: skip
    return folder


def make_recipe(
    options: Options,
    model: str | Path,
    rows: RowFiles,
    *,
    method: str,
    rows_per_update: int,
    objective: Mapping[str, Any] = SFT,
    precision: str = "bfloat16",
) -> dict[str, Any]:
    """A recipe in which nothing is left to choose but what changes speed alone."""
    lora = {"type": "lora", "r": 16, "alpha": 32, "targets": "all-linear"}
    return {
        "model": {"name": str(model), "dtype": precision},
        "data": rows.recipe(),
        "objective": dict(objective),
        "adapt": lora if method == "lora" else {"type": method},
        "train": {
            "steps": options.steps,
            "compile": options.compile,
            "rows_per_update": rows_per_update,
            "learning_rate": RATE[method],
            "schedule": "constant",
            "warmup": 0,
            "weight_decay": 0,
            "clip": 1.0,
            "seed": 0,
            "evaluate_every": options.steps,
            "save_every": options.steps,
        },
    }  # fmt: skip


def burnish(verb: str, options: Options, recipe: Path, name: str, changes: Sequence[str] = ()) -> list[str]:
    """The command line of a verb on a recipe, for a run that is made anew."""
    shutil.rmtree(options.work / "runs" / name, ignore_errors=True)
    return command(verb, options, recipe, name, changes)


def command(verb: str, options: Options, recipe: Path, name: str, changes: Sequence[str] = ()) -> list[str]:
    """The command line of a verb on a recipe, for a run that goes on."""
    sets = [part for change in changes for part in ("--set", change)]
    return [sys.executable, "-m", "burnish", verb, str(recipe), "--name", name, "--out", str(options.work / "runs"),
            *sets]  # fmt: skip


def write_recipe(options: Options, name: str, recipe: Mapping[str, Any]) -> Path:
    """JSON is YAML."""
    path = options.work / "recipes" / f"{name}.yaml"
    write_json(path, recipe)
    return path


def train(options: Options, recipe: Path, name: str, changes: Sequence[str] = ()) -> Training:
    """Trains in a process of its own and reads what the run's folder says about it."""
    done = run_child(
        burnish("train", options, recipe, name, changes),
        threads=options.threads,
        log=options.work / "logs" / f"{name}.log",
    )
    run = options.work / "runs" / name
    metrics, timings = read_jsonl(run / "metrics.jsonl"), read_jsonl(run / "timings.jsonl")
    rows = int(read_json(run / "training.json")["rows_per_update"])
    return Training(
        side="burnish",
        seconds=[line["seconds"] for line in timings],
        tokens=[line["tokens"] for line in metrics],
        rows=[rows] * len(metrics),
        losses=[line["loss"] for line in metrics],
        peak_mb=done.peak_mb,
        facts={
            "tokens_computed": sum(line["tokens_computed"] for line in metrics),
            "peak_mb_while_training": max(line["memory_mb"] for line in timings),
            "changes": list(changes),
        },
    )
