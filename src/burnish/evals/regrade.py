"""Grades the stored answers again, and names every item whose score comes out otherwise.

Scores that the model itself gave (losses, log-probabilities) cannot be worked out without it and are left alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from burnish.core.files import read_json
from burnish.core.records import Chat, Item, Sample
from burnish.core.run_folder import RunFolder
from burnish.data.card import read_card
from burnish.data.rows import read_rows
from burnish.evals.paired_items import read_items
from burnish.evals.sampling import mean_scores
from burnish.evals.verdict_plan import TaskPlan, plan_of
from burnish.graders.constraints import grade_constraints
from burnish.graders.registry import compare, make_grader
from burnish.graders.settings import PRIMARY, AutoMetric, CodeMetric, FunctionMetric, MetricSettings, NamedMetric

Regrade = Callable[[Item], Mapping[str, float]]
METRICS: Mapping[str, Callable[[str, str], Mapping[str, float]]] = {"followed": grade_constraints}  # of memory suites


@dataclass(frozen=True)
class Difference:
    """An item whose stored score is not what its output gets."""

    item: Item
    score: str
    stored: float | None
    now: float | None


@dataclass(frozen=True)
class Regraded:
    """`left_out` maps a suite whose scores the model gave to its items."""

    graded: int
    left_out: Mapping[str, int]
    differences: tuple[Difference, ...]


def regrade(folder: RunFolder) -> Regraded:
    """Works out every score again that needs no model. Raises as the graders do."""
    items, graders = read_items(folder), _graders(folder)
    differences: list[Difference] = []
    left_out: dict[str, int] = {}
    for item in items:
        if item.suite in graders:
            differences += _compared(item, _again(item, graders[item.suite]))
        else:
            left_out[item.suite] = left_out.get(item.suite, 0) + 1
    return Regraded(len(items) - sum(left_out.values()), left_out, tuple(differences))


def _again(item: Item, grade: Regrade) -> Mapping[str, float]:
    """The scores of an item's answer; of several answers the means."""
    if not item.samples:
        return grade(item)
    outputs = [replace(item, output=one.output) for one in item.samples]
    return mean_scores([Sample(one.output, grade(one)) for one in outputs])


def _compared(item: Item, now: Mapping[str, float]) -> list[Difference]:
    return [
        Difference(item, score, item.scores.get(score), value)
        for score, value in now.items()
        if score not in item.scores or not _same(float(item.scores[score]), value)
    ]


def _same(stored: float, now: float) -> bool:
    return stored == now or (math.isnan(stored) and math.isnan(now))


def task_grader(folder: RunFolder) -> tuple[TaskPlan, Regrade] | None:
    """The score that decides the task and what grades an item anew; None where the model itself gives the scores."""
    task = plan_of(read_json(folder.arms)).task
    return (task, _of_task(folder, task)) if _metric(task) else None


def _graders(folder: RunFolder) -> dict[str, Regrade]:
    plan = read_json(folder.arms)
    compared = plan_of(plan)
    graders = {one.name: _of_suite(METRICS[one.metric]) for one in compared.suites if one.metric in METRICS}
    task = compared.task
    return {**graders, "task": _of_task(folder, task)} if _metric(task) else graders


def _of_suite(grade: Callable[[str, str], Mapping[str, float]]) -> Regrade:
    return lambda item: grade(item.output, item.expected or "")


def _metric(task: TaskPlan) -> NamedMetric | None:
    """The metric of arms.json; None for plain texts and preferences, which the model scores, and for `loss`."""
    if task.shape not in PRIMARY or task.shape == "loss":
        return None
    metric: AutoMetric | NamedMetric = TypeAdapter(MetricSettings).validate_python(
        {"type": task.shape, **task.settings}
    )
    return None if isinstance(metric, AutoMetric) else metric


def _of_task(folder: RunFolder, task: TaskPlan) -> Regrade:
    metric = _metric(task)
    assert metric is not None
    shape = read_card(folder.data_card).shape if folder.data_card.exists() else None
    keys, labels = (shape.json_keys, task.labels or shape.labels) if shape else ((), task.labels)
    if not isinstance(metric, CodeMetric | FunctionMetric):
        return _of_suite(compare(metric, keys, labels))
    grade = make_grader(metric, keys, labels)
    rows = {row.id: row for row in read_rows(folder.test) if isinstance(row, Chat)}
    return lambda item: grade(item.output, rows[item.id])
