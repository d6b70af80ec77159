from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from burnish.core.errors import BurnishError
from burnish.core.files import read_json
from burnish.objectives.sft import SFT
from burnish.train import probe
from burnish.train.probe import FACTORS, Probe, chosen_rate, probe_rates
from tests.unit.train.conftest import MakeRun, TinyRun


def probed(tiny: TinyRun) -> list[Probe]:
    return probe_rates(tiny.run, tiny.decoder, tiny.parameters, SFT(), tiny.rows, tiny.dev, tiny.plan, tiny.settings,
                       tiny.world, tiny.said.append)  # fmt: skip


def test_a_probe_tries_five_rates_and_leaves_no_trace_in_the_training_that_follows(make_run: MakeRun) -> None:
    plain, first = make_run("plain"), make_run("probed")
    tried = probed(first)
    assert [one.rate for one in tried] == [0.00075, 0.0015, 0.003, 0.006, 0.012]  # 0.003 × ¼, ½, 1, 2, 4
    assert len({one.dev_loss for one in tried}) == 5
    plain.train()
    first.train()
    for name, parameter in plain.parameters.items():
        assert torch.equal(parameter, first.parameters[name])
    assert plain.run.metrics.read_bytes() == first.run.metrics.read_bytes()


def test_what_was_tried_before_a_stop_is_not_tried_again(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = probed(make_run("undisturbed"))
    monkeypatch.setattr(probe, "FACTORS", FACTORS[:2])  # as if it had been ended after the second
    probed(make_run("stopped"))
    monkeypatch.undo()
    again = make_run("stopped")
    assert probed(again) == undisturbed
    assert sum("rate" in line and "dev" in line for line in again.said) == 3
    assert read_json(again.run.probe) == [vars(one) for one in undisturbed]


def test_a_rate_at_which_the_weights_leave_the_finite_is_not_taken(make_run: MakeRun) -> None:
    tiny = make_run("hot")
    tiny.plan = replace(tiny.plan, learning_rate=1e20)
    tried = probed(tiny)
    assert any(one.dev_loss is None for one in tried)
    assert all(torch.isfinite(parameter).all() for parameter in tiny.parameters.values())


def test_of_rates_that_are_alike_the_lowest_is_taken() -> None:
    # 2.004 is 0.2 % above 2.0, within half a per cent; 2.02 is 1 % above it.
    tried = [Probe(1e-4, 2.02), Probe(2e-4, 2.004), Probe(4e-4, 2.0), Probe(8e-4, None)]
    assert chosen_rate(tried, 1e-3) == 2e-4
    assert chosen_rate([Probe(1e-4, None)], 1e-3) == 1e-3


def test_a_probe_needs_the_memory_that_training_needs(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise BurnishError("There is not enough memory for the largest pass; nothing was trained yet.")

    monkeypatch.setattr(probe, "try_largest_pass", no_room)
    with pytest.raises(BurnishError, match="not enough memory"):
        probed(make_run("small"))
