"""How much of what training gained at the task a form still has, by the grader of the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from burnish.deploy.answers import Answer

ENOUGH_ITEMS = 20  # with fewer one answer more or less decides: the share is told and fails nothing
LEAST_KEPT = 0.5
Given: TypeAlias = Sequence[tuple[Sequence[int], bool]]  # spoken tokens, and whether the answer came to its end


@dataclass(frozen=True)
class Task:
    """The score that decides the verdict. `grade`: (number of the prompt, text of the answer) → score."""

    metric: str
    grade: Callable[[int, str], float]
    higher_is_better: bool = True


@dataclass(frozen=True)
class GradedTask:
    """A task with the means of the trained model's answers and of its base's, cut at the same length as a form's."""

    task: Task
    decode: Callable[[Sequence[int]], str]
    trained: float
    base: float

    def mean(self, given: Given) -> float:
        return _mean(self.task, self.decode, [tokens for tokens, _ in given])


def graded_task(
    task: Task, decode: Callable[[Sequence[int]], str], trained: Sequence[Answer], base: Sequence[Answer]
) -> GradedTask:
    """Grades what the trained model and its base answered."""
    means = [_mean(task, decode, [answer.spoken for answer in answers]) for answers in (trained, base)]
    return GradedTask(task, decode, *means)


def task_measures(task: GradedTask | None, given: Given) -> dict[str, Any]:
    """The form's mean beside the others'. effect_kept: (form - base) / (trained - base); None where training gained
    nothing on these prompts."""
    if task is None:
        return {}
    form = task.mean(given)
    gained = (task.trained - task.base) * (1 if task.task.higher_is_better else -1)
    return {
        "task": {
            "metric": task.task.metric,
            "items": len(given),
            "base": task.base,
            "trained": task.trained,
            "form": form,
            "effect_kept": (form - task.base) / (task.trained - task.base) if gained > 0 else None,
        }
    }


def task_shortfall(measures: dict[str, Any]) -> list[str]:
    """What is missing at the task, in words; empty when enough is kept or too few items were asked to say so."""
    task = measures.get("task")
    if task is None or task["items"] < ENOUGH_ITEMS or task["effect_kept"] is None:
        return []
    if task["effect_kept"] >= LEAST_KEPT:
        return []
    return [f"{task['effect_kept']:.0%} of the gain at the task is left, under {LEAST_KEPT:.0%}"]


def _mean(task: Task, decode: Callable[[Sequence[int]], str], answers: Sequence[Sequence[int]]) -> float:
    return sum(task.grade(index, decode(tokens)) for index, tokens in enumerate(answers)) / len(answers)
