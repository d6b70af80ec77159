"""Arithmetic by hand: three trainings of four rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.core.files import write_json, write_jsonl
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals.retrainings import read_spread, spread_of, spread_rows, spread_sentences
from burnish.evals.verdict_text import write_verdict

PLAN = {"opponents": ["base"], "task": {"metric": "correct"}, "seed": 0}


def training(folder: Path, name: str, right: list[int]) -> RunFolder:
    run = RunFolder(folder / name)
    run.create()
    items = [Item("task", f"{n:02}", "tuned", "?", "x", "x", {"correct": float(one)}) for n, one in enumerate(right)]
    items += [Item("task", f"{n:02}", "base", "?", "x", "", {"correct": 0.0}) for n in range(len(right))]
    write_json(run.arms, PLAN)
    write_jsonl(run.items, [item.to_json() for item in items])
    write_verdict(run)
    return run


def test_the_two_spreads_by_hand(tmp_path: Path) -> None:
    runs = [training(tmp_path, "a", [1, 1, 1, 0]), training(tmp_path, "b", [1, 1, 0, 0]),
            training(tmp_path, "c", [1, 0, 0, 0])]  # fmt: skip
    spread = spread_of(runs, [0, 1, 2])
    # means 0.75, 0.5, 0.25: their mean 0.5, variance ((0.25² + 0 + 0.25²) / 2 = 0.0625, deviation 0.25
    assert spread.mean == 0.5
    assert spread.between_trainings == pytest.approx(0.25)
    # over four rows: deviations √(0.75/3) = 0.5, √(1/3) = 0.57735, 0.5; by √4: 0.25, 0.288675, 0.25; mean 0.262892
    assert spread.between_items == pytest.approx((0.25 + 0.2886751346 + 0.25) / 3)
    assert [(pair.first, pair.second, pair.delta) for pair in spread.pairs] == [
        ("a", "b", 0.25), ("a", "c", 0.5), ("b", "c", 0.25)]  # fmt: skip
    assert spread.looks_better == 0
    assert "In 0 of 3 pairs" in spread_sentences(spread)[1]
    assert spread_rows(spread)[1][:2] == ["a", "0"]


def test_a_pair_that_differs_clearly_looks_better(tmp_path: Path) -> None:
    # 12 rows won and none lost: p = 2 / 2¹² < 0.05
    runs = [training(tmp_path, "a", [1] * 20), training(tmp_path, "b", [0] * 12 + [1] * 8),
            training(tmp_path, "c", [1] * 20)]  # fmt: skip
    spread = spread_of(runs, [0, 1, 2])
    assert [pair.looks_better for pair in spread.pairs] == [True, False, True]
    assert spread.pairs[0].p == pytest.approx(2 / 2**12)
    assert (spread.pairs[2].first, spread.pairs[2].delta) == ("b", -0.6)
    assert spread.looks_better == 2


def test_it_is_read_as_it_was_written_and_shown_in_the_first_runs_verdict(tmp_path: Path) -> None:
    runs = [training(tmp_path, "a", [1, 1, 1, 0]), training(tmp_path, "b<i>", [1, 1, 0, 0])]
    spread = spread_of(runs, [0, 1])
    write_json(runs[0].seeds, spread.to_json())
    assert read_spread(runs[0]) == spread
    assert read_spread(runs[1]) is None
    before = json.loads(runs[0].verdict_json.read_text())
    write_verdict(runs[0])
    text = runs[0].verdict_md.read_text("utf-8")
    assert "## Trained again" in text
    assert "b&lt;i&gt;" in text
    assert json.loads(runs[0].verdict_json.read_text()) == before, "a verdict is about its own weights"


def test_other_rows_and_one_training_are_refused(tmp_path: Path) -> None:
    runs = [training(tmp_path, "a", [1, 1]), training(tmp_path, "b", [1, 1, 1])]
    with pytest.raises(DataError, match="did not answer the same items"):
        spread_of(runs, [0, 1])
    with pytest.raises(DataError, match="no spread"):
        spread_of(runs[:1], [0])
