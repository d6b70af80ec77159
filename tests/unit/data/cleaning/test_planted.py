"""Defects planted into real sets are found by the steps of cleaning and of private data."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.planted import plant, sets
from tests.planted.score import score
from tests.planted.steps import scores_of
from tests.unit.data.cleaning.rows_of import chats


@pytest.mark.data
@pytest.mark.parametrize("name", ["banking77", "dolly"])
def test_planted_defects_are_found(data_folder: Path, name: str) -> None:
    labels = name == "banking77"
    rows = sets.banking77(data_folder)[:4000] if labels else sets.dolly(data_folder)
    scores = scores_of(rows, sets.foreign_sentences(data_folder), 5, labels=labels)
    assert len(scores) == (10 if labels else 9)
    assert {reason: one for reason, one in scores.items() if one.recall < 0.95 or one.precision < 0.9} == {}


def test_planting_puts_in_what_it_says_and_no_row_has_two_defects() -> None:
    rows = chats([(f"What does ticket number {n} to the coast cost on a Sunday?", "answer") for n in range(200)])
    rng = Random(0)
    items = plant.duplicates(plant.items_of(rows), rng, 10)
    items = plant.near_duplicates(items, rng, 10)
    items = plant.empty_answers(items, rng, 10)
    items = plant.leaks(items, [item.row for item in plant.items_of(rows)], rng, 10, "leak, near", plant.nearly(rng))
    truth = plant.truth_of(items)
    assert len(items) == 230
    assert len(truth) == len({index for index, _ in truth}) == 40
    first = {item.row.messages: index for index, item in reversed(list(enumerate(items)))}
    for index, reason in truth:
        if reason == "exact_duplicate":
            assert first[items[index].row.messages] < index
        if reason == "empty_answer":
            assert not items[index].row.answer.strip()


def test_a_near_duplicate_differs_in_one_to_three_words() -> None:
    rng = Random(0)
    text = "What does a ticket to the coast cost if I travel on a Sunday in the summer holidays?"
    for _ in range(100):
        changed = plant.few_words_changed(text, rng).split()
        assert len(set(text.split()) - set(changed)) <= 3
        assert abs(len(changed) - len(text.split())) <= 3


def test_scores_count_what_was_planted_and_forgive_what_was_there() -> None:
    """Of 4 planted 3 are found; of 2 others found one was there before: precision 3/4."""
    truth = frozenset((index, "x") for index in range(4))
    result = score({(0, "x"), (1, "x"), (2, "x"), (7, "x"), (8, "x"), (9, "y")}, truth, {(8, "x")})
    assert set(result) == {"x"}
    assert (result["x"].recall, result["x"].precision) == (0.75, 0.75)
