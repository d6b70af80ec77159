"""17, 19, 20, 22 and 23: every row once an epoch, the rate of the step and not of the pass, nothing but numbers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from burnish.adapt.settings import FullSettings
from burnish.core.files import read_jsonl
from burnish.core.world import World
from burnish.objectives.sft import SFT
from burnish.train.checkpoint import Checkpoint, save_checkpoint, steps_in
from burnish.train.guard import NotFinite
from burnish.train.loop import measure
from burnish.train.order import rows_of_update
from burnish.train.rules import Plan
from tests.cli.run_cli import burnish
from tests.invariants.jobs import (
    COUNT,
    CPU,
    Outcome,
    Poisoned,
    rows_taken,
    train_poisoned,
    uneven_rows,
    update_with_bad_pair,
    wide_decoder,
)
from tests.invariants.worlds import in_world
from tests.unit.train.conftest import MakeRun
from tests.unit.train.test_loop import Disturbed, break_down

Kind = Literal["loss NaN", "loss infinite", "gradient NaN"]
KINDS: tuple[Kind, ...] = ("loss NaN", "loss infinite", "gradient NaN")


def poisoned_run(folder: Path, kind: Kind, on_nan: str, ranks: int = 1, rows_per_update: int = 6) -> list[Outcome]:
    """Four updates; the second row of the third one is bad, so that only one rank meets it."""
    row = rows_of_update(2, seed=0, rows=COUNT, rows_per_update=rows_per_update)[1]
    arguments = (str(folder), Poisoned(row, kind), on_nan, rows_per_update, 4)
    if ranks > 1:
        return in_world(ranks, train_poisoned, *arguments)
    return [train_poisoned(World(0, 1, CPU), *arguments)]


@pytest.mark.parametrize(("kind", "ranks"), [*((kind, 1) for kind in KINDS), ("loss NaN", 2), ("gradient NaN", 2)])
def test_a_value_that_is_not_finite_stops_all_ranks_and_the_weights_stay(
    tmp_path: Path, kind: Kind, ranks: int
) -> None:
    """Guards against a NaN that is shown as the mean of the steps before, while it is stepped with (transformers'
    `logging_nan_inf_filter`): the bad row is seen by one rank only."""
    bad = rows_of_update(2, seed=0, rows=COUNT, rows_per_update=6)[1]
    for outcome in poisoned_run(tmp_path / "run", kind, "stop", ranks):
        assert "not finite at step 3; the weights are unchanged" in outcome.error
        assert outcome.where == f"rows rows.jsonl:{bad + 1}"
        assert outcome.untouched
        assert outcome.steps[-1] == 2
        assert [line["step"] for line in outcome.lines] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "ranks", "rows_per_update"),
    [("loss NaN", 1, 6), ("gradient NaN", 1, 6), ("loss infinite", 2, 6), ("gradient NaN", 3, 2)],
)
def test_a_skipped_update_changes_nothing_and_says_so(
    tmp_path: Path, kind: Kind, ranks: int, rows_per_update: int
) -> None:
    """The metrics hold no number where there is none; the rank without rows (3 ranks, 2 rows) forgets the NaN too."""
    bad = rows_of_update(2, seed=0, rows=COUNT, rows_per_update=rows_per_update)[1]
    outcomes = poisoned_run(tmp_path / "run", kind, "skip", ranks, rows_per_update)
    for outcome in outcomes:
        assert outcome.error == ""
        assert np.isfinite(outcome.weights).all()
        assert np.array_equal(outcome.weights, outcomes[0].weights)
        assert [line.get("skipped", False) for line in outcome.lines] == [False, False, True, False]
        assert outcome.lines[2]["rows"] == [f"rows.jsonl:{bad + 1}"]
        assert None in (outcome.lines[2]["loss"], outcome.lines[2]["grad_norm"])
    assert any("skipped" in line for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines())


def test_a_bad_pair_is_named_and_no_other() -> None:
    """A forest numbers the two answers of a pair apart; the error names the row of the data."""
    with pytest.raises(NotFinite) as caught:
        update_with_bad_pair(1)
    assert caught.value.where == "rows pairs.jsonl:2"


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_checkpoint_never_holds_a_value_that_is_not_finite(tmp_path: Path, value: float) -> None:
    for weights, moments in (([1.0, value], [1.0]), ([1.0], [value])):
        made = Checkpoint({"w": torch.tensor(weights)}, {"w/exp_avg": torch.tensor(moments)}, {"step": 1})
        with pytest.raises(NotFinite):
            save_checkpoint(tmp_path, 1, made)
        assert steps_in(tmp_path) == []


def test_rates_are_those_of_the_steps_whatever_the_passes_and_across_three_resumes(make_run: MakeRun) -> None:
    """Guards against schedules that count passes, or begin anew when a run is resumed.

    Peak 1e-2, 12 steps, 1 of warm-up: 1/2 of the peak, then 0.1 + 0.45 (1 + cos(π k / 11)) of it for k = 0 … 10.
    """
    closed = [5e-3, *(1e-2 * (0.1 + 0.45 * (1 + np.cos(np.pi * k / 11))) for k in range(11))]
    for name, tokens_per_pass in (("at once", 100_000), ("row by row", 1)):
        for at in (6, 5, 7):  # in the middle of updates, each time after a few steps more
            broken = make_run(name, tokens_per_pass=tokens_per_pass, save_every=1, rate=1e-2)
            with pytest.raises(RuntimeError, match="lights"):
                broken.train(Disturbed(at * (3 if tokens_per_pass == 1 else 1), break_down))
        last = make_run(name, tokens_per_pass=tokens_per_pass, save_every=1, rate=1e-2)
        last.train()
        assert sum("going on after step" in text for text in last.said) == 1
        lines = read_jsonl(last.run.metrics)
        assert [line["step"] for line in lines] == list(range(1, 13))
        assert [line["learning_rate"] for line in lines] == pytest.approx(closed, rel=1e-12)


def test_a_measurement_is_the_same_twice_and_leaves_no_trace(make_run: MakeRun) -> None:
    """Guards against dropout, or anything else of training, at work while a model is measured."""
    often, seldom = make_run("often", evaluate_every=1), make_run("seldom", evaluate_every=12)
    often.train()
    seldom.train()
    world = World(0, 1, CPU)
    first, second = (measure(often.decoder, SFT(), often.dev, often.plan, world) for _ in range(2))
    assert first == second
    losses = [[line["loss"] for line in read_jsonl(tiny.run.metrics)] for tiny in (often, seldom)]
    assert losses[0] == losses[1]


def test_a_measurement_does_not_depend_on_what_is_computed_together() -> None:
    decoder, rows, world = wide_decoder(FullSettings()), uneven_rows(), World(0, 1, CPU)
    plans = [Plan(COUNT, 1, 1, tokens, 1.0, 0, 1, 1) for tokens in (1, 100, 100_000)]
    alone, few, all_ = (measure(decoder, SFT(), rows, plan, world) for plan in plans)
    assert few == pytest.approx(alone, rel=1e-12)
    assert all_ == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_every_row_is_seen_once_an_epoch_by_exactly_one_rank(ranks: int) -> None:
    """Guards against rows that are dropped, doubled or padded when they do not divide by the ranks.

    24 rows in updates of 5: after 24 updates each was seen 5 times; in updates of 3, a fourth rank has none.
    """
    for rows_per_update, updates in ((5, 24), (3, 8)):
        worlds = in_world(ranks, rows_taken, updates, rows_per_update) if ranks > 1 else None
        taken = worlds or [rows_taken(World(0, 1, CPU), updates, rows_per_update)]
        by_update = [[row for rank in taken for row in rank[step]] for step in range(updates)]
        assert all(len(rows) == rows_per_update for rows in by_update)
        seen = Counter(row for rows in by_update for row in rows)
        assert seen == Counter(dict.fromkeys(range(COUNT), updates * rows_per_update // COUNT))
        for step, rows in enumerate(by_update):
            assert sorted(rows) == sorted(rows_of_update(step, seed=5, rows=COUNT, rows_per_update=rows_per_update))


def test_a_row_that_is_too_long_is_left_out_with_its_place_and_no_answer_is_ever_cut(
    tiny_folder: Path, tmp_path: Path
) -> None:
    """23: guards against truncation that takes the answer away and leaves the prompt to be trained on."""
    rows = tmp_path / "rows.jsonl"
    lines = [{"prompt": f"{n}?", "completion": "blue " * (60 if n in (3, 17) else 2) + "end"} for n in range(40)]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = burnish("prepare", "--model", tiny_folder, "--data", rows, "--out", tmp_path, "--name", "run", "--set",
                     "model.context=64")  # fmt: skip
    assert result.code == 0, result.err
    data = tmp_path / "run" / "data"
    kept = [line for part in ("train", "dev", "test") for line in read_jsonl(data / f"{part}.jsonl")]
    dropped = read_jsonl(data / "dropped.jsonl")
    assert sorted((one["reason"], Path(one["source"]).name) for one in dropped) == [
        ("too_long", "rows.jsonl:18"),
        ("too_long", "rows.jsonl:4"),
    ]
    assert len(kept) + len(dropped) == 40
    assert {line["messages"][-1]["content"] for line in kept} == {"blue blue end"}
    assert "2 dropped, too_long" in result.out
