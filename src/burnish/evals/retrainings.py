"""Several trainings of one recipe with different seeds: how far do their scores spread, and is that more than chance?

Each verdict stays about its own weights. What is said here is about the recipe: what another seed would have given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from burnish.core.errors import BurnishError, DataError
from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder
from burnish.evals.between_runs import TASK, read_answers
from burnish.evals.paired_items import suite_of
from burnish.evals.statistics import mean_interval, paired_difference, standard_error
from burnish.evals.verdict import read_verdict
from burnish.evals.wording import PERCENT, difference_text, metric_name, score_text

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Training:
    """One training: its mean score over the test rows with the 95 % interval over rows, and its own verdict."""

    run: str
    seed: int
    score: float
    low: float
    high: float
    task: str
    memory: str


@dataclass(frozen=True)
class TrainingPair:
    """One training against another, item by item; above zero the first is better. The interval is of 95 %."""

    first: str
    second: str
    delta: float
    low: float
    high: float
    p: float

    @property
    def looks_better(self) -> bool:
        """Whether a verdict would call one of the two better."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Spread:
    """`between_trainings`: standard deviation of the trainings' mean scores. `between_items`: standard error of one
    training's mean score that comes from having these test rows and not others, averaged over the trainings.
    `looks_better`: in how many pairs one training would be called better than the other.
    """

    metric: str
    higher_is_better: bool
    n: int
    mean: float
    between_trainings: float
    between_items: float
    looks_better: int
    trainings: tuple[Training, ...]
    pairs: tuple[TrainingPair, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for seeds.json."""
        value: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return value


_ADAPTER = TypeAdapter(Spread)


def spread_of(runs: Sequence[RunFolder], seeds: Sequence[int]) -> Spread:
    """The runs are trainings of one recipe, all judged on the same rows.

    Raises DataError: fewer than two, or they did not answer the same rows.
    """
    if len(runs) < 2:
        raise DataError("One training shows no spread.", next_move="ask for --seeds 2 or more")
    answers = [read_answers(run, run.name) for run in runs]
    task = answers[0].plan.task
    items = [replace(item, arm=one.name) for one in answers for item in one.items if item.suite == TASK]
    names = [run.name for run in runs]
    suite = suite_of(items, TASK, names)
    scores = {name: suite.scores(name, task.metric) for name in names}
    verdicts = [read_verdict(run) for run in runs]
    means = [mean_interval(scores[run.name]) for run in runs]
    trainings = tuple(
        Training(run.name, seed, mean.mean, mean.low, mean.high, verdict.task.outcome, verdict.memory.outcome)
        for run, seed, mean, verdict in zip(runs, seeds, means, verdicts, strict=True)
    )
    pairs = tuple(_pair(one, other, scores, task.higher_is_better) for one, other in combinations(names, 2))
    errors = [standard_error(values) for values in scores.values()]
    return Spread(
        metric=task.metric,
        higher_is_better=task.higher_is_better,
        n=means[0].n,
        mean=float(np.mean([mean.mean for mean in means])),
        between_trainings=float(np.std([mean.mean for mean in means], ddof=1)),
        between_items=float(np.mean(errors)),
        looks_better=sum(pair.looks_better for pair in pairs),
        trainings=trainings,
        pairs=pairs,
    )


def _pair(one: str, other: str, scores: Mapping[str, Sequence[float]], higher_is_better: bool) -> TrainingPair:
    first, second = (scores[name] for name in ((one, other) if higher_is_better else (other, one)))
    found = paired_difference(first, second, level=1 - SIGNIFICANCE)
    return TrainingPair(one, other, found.delta, found.low, found.high, found.p)


def read_spread(folder: RunFolder) -> Spread | None:
    """seeds.json of a run; None where it was trained once. Raises BurnishError: the file is damaged."""
    if not folder.seeds.exists():
        return None
    try:
        return _ADAPTER.validate_python(read_json(folder.seeds))
    except ValidationError as error:
        raise BurnishError(
            "seeds.json is not what this version of Burnish writes.",
            where=str(folder.seeds),
            seen=error.errors()[0]["msg"],
            next_move="delete it and run the same command with --seeds again",
        ) from error


def spread_rows(spread: Spread) -> list[list[str]]:
    """A table, the head first."""
    head = ["run", "seed", f"{metric_name(spread.metric)} (95 %)", "task", "memory"]
    rows = [
        [one.run, str(one.seed), _interval(spread, one), one.task,
         one.memory]
        for one in spread.trainings
    ]  # fmt: skip
    return [head, *rows]


def spread_sentences(spread: Spread) -> list[str]:
    """What the numbers say, in whole sentences."""
    both = (spread.between_trainings, spread.between_items)
    sizes = [difference_text(spread.metric, size).lstrip("+") for size in both]
    pairs = len(spread.pairs)
    return [
        f"{len(spread.trainings)} trainings that differ in their seed alone reach {_shown(spread, spread.mean)} on "
        f"average. Standard deviation between trainings: {sizes[0]}; standard error of one score that comes from the "
        f"choice of {spread.n} test rows: {sizes[1]}.",
        f"In {spread.looks_better} of {pairs} pairs of these trainings the paired test at 5 % would call one better "
        "than the other, though nothing but the seed made the difference.",
        "The verdict above is about its own weights. A gain of about the size of the spread between trainings says "
        "little about the recipe.",
    ]


def _shown(spread: Spread, value: float) -> str:
    return score_text(spread.metric, value)


def _interval(spread: Spread, one: Training) -> str:
    low, high = (_shown(spread, bound).removesuffix(PERCENT) for bound in (one.low, one.high))
    return f"{_shown(spread, one.score)} ({low} to {high})"
