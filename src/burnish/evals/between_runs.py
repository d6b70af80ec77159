"""Several runs against the first: the statistics of a verdict, over the items that all of them answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from burnish.core.errors import DataError
from burnish.core.files import read_json
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals.judge.outcome import METRIC as JUDGED
from burnish.evals.paired_items import read_items, suite_of
from burnish.evals.statistics import Mean, mean_interval
from burnish.evals.task_verdict import compared
from burnish.evals.verdict_plan import Plan, plan_of
from burnish.evals.verdict_records import Comparison

TASK = "task"


@dataclass(frozen=True)
class RunAnswers:
    """What the specialist of one run answered."""

    name: str
    plan: Plan
    items: tuple[Item, ...]


@dataclass(frozen=True)
class SuiteComparison:
    """One suite. Each comparison holds the first run against another: above zero the first is better."""

    suite: str
    metric: str
    n: int
    left_out: int  # items that not all runs answered
    means: Mapping[str, Mean]
    comparisons: tuple[Comparison, ...]


def read_answers(folder: RunFolder, name: str) -> RunAnswers:
    """The specialist's items of a run. Raises BurnishError: it was not evaluated, or its files are damaged."""
    plan = plan_of(read_json(folder.arms))
    return RunAnswers(name, plan, tuple(item for item in read_items(folder) if item.arm == plan.specialist))


def compare_answers(runs: Sequence[RunAnswers], *, seed: int = 0) -> tuple[SuiteComparison, ...]:
    """The task first, then each suite that all runs were asked, with Holm's correction over the runs.

    Raises DataError: the runs were graded in different ways, or share no item of the task.
    """
    first = runs[0].plan
    if JUDGED in (run.plan.task.metric for run in runs):
        raise DataError(
            "A judge compared each specialist with its own opponents, not with the other runs.",
            seen="evaluate.metric: judge",
            next_move="evaluate them with another metric",
        )
    for run in runs[1:]:
        if first.task.settings and run.plan.task.settings and run.plan.task.settings != first.task.settings:
            raise _graded_otherwise(run.name, "task", f"{run.plan.task.settings}, not {first.task.settings}")
    rules = [(TASK, first.task.metric, first.task.higher_is_better)]
    rules += [(suite.name, suite.metric, suite.higher_is_better) for suite in first.suites]
    found = [_compare(runs, suite, metric, higher, seed) for suite, metric, higher in rules]
    return tuple(one for one in found if one is not None)


def _compare(
    runs: Sequence[RunAnswers], suite: str, metric: str, higher_is_better: bool, seed: int
) -> SuiteComparison | None:
    by_run = {run.name: {item.id: item for item in run.items if item.suite == suite} for run in runs}
    shared = set.intersection(*(set(items) for items in by_run.values()))
    shared = {item for item in shared if len({(own[item].prompt, own[item].expected) for own in by_run.values()}) == 1}
    if not shared:
        if suite != TASK:
            return None
        raise DataError(
            "The runs have no item of the task in common, so nothing can be said of one against the other.",
            seen=", ".join(f"{name}: {len(items)} items" for name, items in by_run.items()),
            next_move="prepare both with the same `data.test`, or the same file and seed",
        )
    for name, items in by_run.items():
        if metric not in next(iter(items.values())).scores:
            raise _graded_otherwise(name, suite, f"no score `{metric}`")
    renamed = [replace(by_run[run.name][item], arm=run.name) for run in runs for item in shared]
    paired = suite_of(renamed, suite, [run.name for run in runs])
    return SuiteComparison(
        suite=suite,
        metric=metric,
        n=len(shared),
        left_out=len(set().union(*by_run.values())) - len(shared),
        means={run.name: mean_interval(paired.scores(run.name, metric), seed=seed) for run in runs},
        comparisons=compared(paired, runs[0].name, [run.name for run in runs[1:]], metric, higher_is_better, seed),
    )


def _graded_otherwise(name: str, suite: str, seen: str) -> DataError:
    return DataError(
        f"The runs are graded in different ways: {name} is not graded as the first is.",
        where=f"suite {suite}",
        seen=seen,
        next_move="evaluate them with the same `evaluate.metric`",
    )


def differing_settings(recipes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Key → run → value, for the keys that are not the same in all of these flat recipes."""
    keys = dict.fromkeys(key for recipe in recipes.values() for key in recipe)
    return {
        key: {run: recipe.get(key) for run, recipe in recipes.items()}
        for key in keys
        if len({repr(recipe.get(key)) for recipe in recipes.values()}) > 1
    }
