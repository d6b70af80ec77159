"""Training in several processes: the same losses whatever their number, one answer to whatever happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from burnish.adapt.settings import FullSettings, LoRASettings
from burnish.core.files import read_jsonl
from tests import ranks
from tests.unit.train import rank_jobs
from tests.unit.train.conftest import make_tiny


def run_ranks(size: int, folder: Path, job: ranks.Job, *arguments: Any) -> list[str]:
    """The errors of job(world, folder, *arguments), by rank."""
    return ranks.run_ranks(size, folder, job, folder, *arguments)


OPTIONS: dict[str, Any] = {"steps": 16, "rows_per_update": 5, "evaluate_every": 6, "save_every": 3}


@pytest.mark.parametrize("adapt", [LoRASettings(r=4, alpha=8), FullSettings()], ids=["LoRA", "full"])
def test_a_run_may_go_on_with_another_number_of_ranks(tmp_path: Path, adapt: Any) -> None:
    """2 ranks, stopped by a signal to one of them; 1; 3: the losses of one undisturbed process."""
    options = {**OPTIONS, "adapt": adapt}
    whole = make_tiny(tmp_path, "whole", **options)
    whole.train()
    assert run_ranks(2, tmp_path, rank_jobs.train, "run", {1: 9}, options) == ["", ""]
    reached = len(read_jsonl(tmp_path / "run" / "metrics.jsonl"))
    assert 1 < reached < 10
    rank_jobs.train(whole.world, tmp_path, "run", {0: 12}, options)
    assert reached < len(read_jsonl(tmp_path / "run" / "metrics.jsonl")) < 16
    assert run_ranks(3, tmp_path, rank_jobs.train, "run", {}, options) == ["", "", ""]
    expected, got = read_jsonl(whole.run.metrics), read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert [line["step"] for line in got] == list(range(1, 17))
    for one, other in zip(expected, got, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], abs=1e-6 * max(1, one["loss"]))
        assert other["tokens"] == one["tokens"]
        assert ("dev_loss" in one) == ("dev_loss" in other)
    hashes = {json.loads((tmp_path / f"run-{rank}.json").read_text()) for rank in range(3)}
    assert len(hashes) == 1


def test_a_rank_without_rows_takes_part(tmp_path: Path) -> None:
    """Two rows an update among three ranks, and two rows of dev."""
    options = {**OPTIONS, "rows_per_update": 2, "dev": {"sky": "blue", "one": "two"}, "steps": 6}
    whole = make_tiny(tmp_path, "whole", **options)
    whole.train()
    assert run_ranks(3, tmp_path, rank_jobs.train, "run", {}, options) == ["", "", ""]
    got = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    for one, other in zip(read_jsonl(whole.run.metrics), got, strict=True):
        assert other == pytest.approx(one, rel=1e-4)
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-6)


def test_two_runs_on_two_ranks_are_equal_to_the_last_byte_also_after_a_stop(tmp_path: Path) -> None:
    run_ranks(2, tmp_path, rank_jobs.train, "whole", {}, OPTIONS)
    run_ranks(2, tmp_path, rank_jobs.train, "stopped", {0: 8, 1: 8}, OPTIONS)
    assert run_ranks(2, tmp_path, rank_jobs.train, "stopped", {}, OPTIONS) == ["", ""]
    assert (tmp_path / "whole" / "metrics.jsonl").read_bytes() == (tmp_path / "stopped" / "metrics.jsonl").read_bytes()
    assert (tmp_path / "whole-1.json").read_bytes() == (tmp_path / "stopped-0.json").read_bytes()


def test_a_nan_on_one_rank_stops_all_ranks_with_the_very_rows(tmp_path: Path) -> None:
    errors = run_ranks(2, tmp_path, rank_jobs.train_with_bad_rows, [2, 5], {**OPTIONS, "rows_per_update": 8})
    for error in errors:
        assert error.startswith("NotFinite (1): The loss is not finite at step 1; the weights are unchanged.")
        assert "where: rows rows.jsonl:3, rows.jsonl:6" in error or "where: rows rows.jsonl:6, rows.jsonl:3" in error
    assert not (tmp_path / "bad" / "metrics.jsonl").exists()


def test_ranks_that_hold_other_weights_are_refused_before_the_first_step(tmp_path: Path) -> None:
    assert run_ranks(2, tmp_path, rank_jobs.train_other_weights) == ["", ""]
    assert not (tmp_path / "other" / "metrics.jsonl").exists()
