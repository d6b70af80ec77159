"""Stored answers are graded again without the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from burnish.core.files import write_json, write_jsonl
from burnish.core.records import Item
from burnish.evals.regrade import regrade


def test_the_same_answers_get_the_same_scores(invented_items: list[Item], write_run: Any) -> None:
    folder = write_run([item for item in invented_items if item.suite == "task"])
    folder.data_card.unlink()
    found = regrade(folder)
    assert (found.graded, found.differences, found.left_out) == (240, (), {})


def test_every_item_that_differs_is_named(invented_items: list[Item], write_run: Any) -> None:
    items = [item for item in invented_items if item.suite in ("task", "knowledge")]
    wrong = replace(items[5], scores={"correct": 1 - items[5].scores["correct"]})
    lacking = replace(items[7], scores={})
    folder = write_run([wrong if item is items[5] else lacking if item is items[7] else item for item in items])
    folder.data_card.unlink()
    found = regrade(folder)
    assert [(one.item.id, one.item.arm, one.score) for one in found.differences] == [
        (items[5].id, items[5].arm, "correct"), (items[7].id, items[7].arm, "correct")
    ]  # fmt: skip
    assert found.differences[1].stored is None
    assert found.left_out == {"knowledge": 300}  # the model gave these scores


@pytest.mark.parametrize(
    ("task", "output", "expected", "scores"),
    [
        ({"metric": "correct", "shape": "number", "settings": {"tolerance": 0.1}}, "105", "100", {"correct": 1.0}),
        ({"metric": "correct", "shape": "regex", "settings": {"pattern": "(a+)"}}, "aa", "aa", {"correct": 1.0}),
        (
            {"metric": "field_f1", "shape": "json"},
            '{"a": 1}',
            '{"a": 1}',
            {"valid": 1.0, "exact": 1.0, "field_f1": 1.0},
        ),
    ],
)
def test_the_settings_of_the_metric_are_used(
    task: dict[str, Any], output: str, expected: str, scores: dict[str, float], write_run: Any
) -> None:
    folder = write_run([])
    folder.data_card.unlink()
    write_json(folder.arms, {"opponents": ["base"], "task": task})
    write_jsonl(folder.items, [Item("task", "1", "base", "q", expected, output, scores).to_json()])
    assert regrade(folder).differences == ()


def test_what_the_model_scored_is_left_alone(write_run: Any) -> None:
    folder = write_run([Item("task", "1", "base", "q", None, "", {"loss": 2.0})])
    write_json(folder.arms, {"opponents": ["base"], "task": {"metric": "loss", "shape": "plain text"}})
    assert regrade(folder).left_out == {"task": 1}
