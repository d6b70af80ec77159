"""Confidence held against what is right."""

from __future__ import annotations

import pytest

from burnish.core.records import Item
from burnish.evals.effects.calibration import calibration, reliability


def test_the_error_is_the_weighted_distance_of_bins_of_equal_numbers() -> None:
    # twenty answers make two bins of ten: 0.2 sure and 3 right, 0.9 sure and 8 right
    confidence = [0.9] * 10 + [0.2] * 10
    right = [1.0] * 8 + [0.0] * 2 + [1.0] * 3 + [0.0] * 7
    bins, error = reliability(confidence, right)
    assert [(round(one.confidence, 3), one.right.mean, one.right.n) for one in bins] == [(0.2, 0.3, 10), (0.9, 0.8, 10)]
    assert error == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)


def test_a_model_that_knows_has_no_error() -> None:
    bins, error = reliability([1.0] * 30, [1.0] * 30)
    assert error == 0.0
    assert len(bins) == 3


def test_few_answers_make_one_bin() -> None:
    assert len(reliability([0.5, 0.7], [1.0, 0.0])[0]) == 1


def item(name: str, expected: str, output: str, label: str, confidence: float) -> Item:
    return Item("task", name, "tuned", "q", expected, output, {}, {"label": label, "confidence": confidence})


def test_the_likeliest_label_is_judged_and_compared_with_the_answer() -> None:
    items = [
        item("1", "yes", "Yes.", "yes", 0.8),  # right, and said so
        item("2", "no", "no", "yes", 0.6),  # weighed wrong, said right
        Item("task", "3", "tuned", "q", "no", "no"),  # was not weighed
    ]
    found = calibration("tuned", items, ("yes", "no"))
    assert found is not None
    assert (found.n, found.accuracy, found.agrees) == (2, 0.5, 0.5)
    assert found.ece == pytest.approx(0.2)  # one bin: 0.7 sure, 0.5 right
    assert calibration("tuned", items[2:], ("yes", "no")) is None
