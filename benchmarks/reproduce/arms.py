"""Arms of an experiment: one recipe with changes, trained with several seeds, each run once and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import ours
from benchmarks.common import Options, run_child, run_module
from benchmarks.inputs import RowFiles
from benchmarks.reproduce.tasks import task_rows
from burnish.core.files import read_json
from burnish.evals.statistics import Mean, resampled


@dataclass(frozen=True)
class Arm:
    """`changes`: group.key=value, on top of the experiment's recipe."""

    name: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a training left. `rows` and `general`: (items, 2) of nats and tokens."""

    arm: str
    seed: int
    run: Path
    rows: np.ndarray[Any, np.dtype[np.float64]]
    general: np.ndarray[Any, np.dtype[np.float64]]
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def loss(self) -> float:
        """Nats a learnt token of the test rows."""
        return per_token(self.rows)

    @property
    def general_loss(self) -> float:
        """Nats a token of the general passages."""
        return per_token(self.general)


def per_token(sums: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """All nats over all tokens."""
    return float(sums[:, 0].sum() / sums[:, 1].sum())


def recipe_for(rows: RowFiles, *, model: str, epochs: float) -> dict[str, Any]:
    """Burnish's defaults: early stop on dev, the best checkpoint kept."""
    return {"model": model, "data": rows.recipe(), "train": {"epochs": epochs}}


def outcome(options: Options, task: str, arm: Arm, seed: int, *, model: str, epochs: float) -> Outcome:
    """Trains and measures in processes of their own what is not there yet. Raises BurnishError: one failed."""
    name = f"{task}-{Path(model).name}-{epochs:g}-{arm.name}-{seed}"
    folder = options.work / "runs" / name
    recipe = ours.write_recipe(options, f"{task}-{epochs:g}",
                               recipe_for(task_rows(options.work, task), model=model, epochs=epochs))  # fmt: skip
    log = options.work / "logs" / f"{name}.log"
    if not (folder / "losses.json").is_file():
        changes = (*arm.changes, f"train.seed={seed}", "data.seed=0")
        run_child(ours.command("train", options, recipe, name, changes), threads=options.threads, log=log)
        run_module("benchmarks.reproduce.measure", folder, threads=options.threads, log=log)
    return _read(folder, "losses.json", arm.name, seed)


def base_outcome(options: Options, like: Outcome) -> Outcome:
    """The pretrained model on the rows of a run."""
    if not (like.run / "base.json").is_file():
        run_module("benchmarks.reproduce.measure", like.run, "--base", threads=options.threads,
                   log=options.work / "logs" / "base.log")  # fmt: skip
    return _read(like.run, "base.json", "base", 0)


def _read(folder: Path, file: str, arm: str, seed: int) -> Outcome:
    losses = read_json(folder / file)
    rows, general = (np.array(losses[key], dtype=np.float64) for key in ("rows", "general"))
    return Outcome(arm, seed, folder, rows, general, read_json(folder / "training.json"))


def difference(one: Sequence[Outcome], other: Sequence[Outcome], part: str = "rows") -> Mean:
    """Nats a token, `one` minus `other`, each the mean of its seeds; the interval is a bootstrap over items."""
    first, second = (_summed(outcomes, part) for outcomes in (one, other))

    def score(weights_R_N: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        a, b = weights_R_N @ first, weights_R_N @ second
        gap: np.ndarray[Any, np.dtype[np.float64]] = a[:, 0] / a[:, 1] - b[:, 0] / b[:, 1]
        return gap

    return resampled(score, len(first))


def _summed(outcomes: Sequence[Outcome], part: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    summed: np.ndarray[Any, np.dtype[np.float64]] = np.mean(
        [one.rows if part == "rows" else one.general for one in outcomes], axis=0
    )
    return summed


def best(outcomes: Sequence[Outcome]) -> Outcome:
    """The one with the lowest loss on dev: what a user would have kept."""
    return min(outcomes, key=lambda one: float(one.training["best_loss"] or np.inf))


def grid(low: float, factors: Sequence[float]) -> list[float]:
    """Rates: each factor times `low`, to two figures."""
    return [float(f"{low * factor:.2g}") for factor in factors]
