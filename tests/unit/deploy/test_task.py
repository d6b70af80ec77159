"""The share of the gain at the task that a form keeps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from burnish.deploy.answers import Answer
from burnish.deploy.task import GradedTask, Task, graded_task, task_measures, task_shortfall


def text(tokens: Sequence[int]) -> str:
    return " ".join(map(str, tokens))


def answers(*tokens: int) -> list[Answer]:
    return [Answer((9,), (token, 2), True, ()) for token in tokens]


def right(index: int, answer: str) -> float:
    return float(answer == str(index))


def graded(higher_is_better: bool = True) -> GradedTask:
    # Four prompts, whose right answers are 0, 1, 2, 3: all right after training, one right before.
    return graded_task(Task("exact", right, higher_is_better), text, answers(0, 1, 2, 3), answers(0, 5, 5, 5))


def test_the_share_is_of_the_gain_over_the_base() -> None:
    # 3 of 4 are right: (0.75 - 0.25) / (1 - 0.25) = 2/3.
    found = task_measures(graded(), [([0], True), ([1], True), ([2], True), ([7], False)])["task"]
    assert found == {
        "metric": "exact", "items": 4, "base": 0.25, "trained": 1.0, "form": 0.75, "effect_kept": pytest.approx(2 / 3)
    }  # fmt: skip


def test_without_a_gain_there_is_no_share() -> None:
    # Of a score where less is better, training made this one worse.
    assert task_measures(graded(higher_is_better=False), [([0], True)] * 4)["task"]["effect_kept"] is None
    assert task_measures(None, []) == {}


def test_only_enough_items_can_fail_a_form() -> None:
    lost = {"metric": "exact", "items": 20, "base": 0.2, "trained": 0.8, "form": 0.4, "effect_kept": 1 / 3}
    assert task_shortfall({"task": lost}) == ["33% of the gain at the task is left, under 50%"]
    assert task_shortfall({"task": lost | {"items": 19}}) == []
    assert task_shortfall({"task": lost | {"effect_kept": None}}) == []
    assert task_shortfall({}) == []
