"""Guards in the loop: what they add to an update, and that a run with them goes on and is shared as one without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.files import read_jsonl
from burnish.objectives.sft import SFT
from burnish.train.guard import NotFinite
from burnish.train.guarding import guard_gradients, largest_pass
from burnish.train.work import NO_GUARDS, Guards
from tests.unit.train.conftest import CPU, MakeRun, make_tiny
from tests.unit.train.guarded import guards_of, train_guarded
from tests.unit.train.test_loop import Disturbed, break_down, same, weights
from tests.unit.train.test_ranks import run_ranks

METHODS = pytest.mark.parametrize("adapt", [LoRASettings(r=4, alpha=8), FullSettings()], ids=["LoRA", "full"])


@dataclass(frozen=True)
class Bad:
    """A penalty that is NaN."""

    name: str = "bad"
    weight: float = 1.0

    def parts(self) -> Iterator[Tensor]:
        yield torch.tensor(torch.nan, requires_grad=True)


@METHODS
def test_a_run_that_goes_on_is_equal_to_the_last_byte(make_run: MakeRun, adapt: AdaptSettings) -> None:
    whole, broken = make_run("whole", adapt), make_run("broken", adapt)
    whole.train(guards=guards_of(whole))
    with pytest.raises(RuntimeError, match="lights"):
        broken.train(Disturbed(20, break_down), guards_of(broken))
    assert 0 < len(read_jsonl(broken.run.metrics)) < 12
    again = make_run("broken", adapt)
    again.train(guards=guards_of(again))
    assert again.run.metrics.read_bytes() == whole.run.metrics.read_bytes()
    assert same(weights(whole), weights(again))


@METHODS
def test_ranks_give_the_losses_of_one_process(tmp_path: Path, adapt: AdaptSettings) -> None:
    options = {"steps": 6, "rows_per_update": 5, "adapt": adapt}
    whole = make_tiny(tmp_path, "whole", **options)
    whole.train(guards=guards_of(whole))
    assert run_ranks(2, tmp_path, train_guarded, options) == ["", ""]
    assert (tmp_path / "shared-0.json").read_bytes() == (tmp_path / "shared-1.json").read_bytes()
    for one, other in zip(
        read_jsonl(whole.run.metrics), read_jsonl(tmp_path / "shared" / "metrics.jsonl"), strict=True
    ):
        assert other == pytest.approx(one, rel=1e-3, abs=1e-6)


def test_each_mean_stands_beside_the_loss_without_its_weight(make_run: MakeRun) -> None:
    """Of the general rows 1.5 and 0.6 come a step: the first step has no row for the KL, and none of it in its line."""
    light, heavy = make_run("light", steps=2), make_run("heavy", steps=2)
    light.train(guards=guards_of(light, weight=1e-6))
    heavy.train(guards=guards_of(heavy, weight=10.0))
    (first, second), (other, _) = read_jsonl(light.run.metrics), read_jsonl(heavy.run.metrics)
    assert "kl" not in first
    assert {"replay", "kl", "l2"} <= set(second)
    assert first["l2"] == 0
    assert second["l2"] > 0
    assert {name: other[name] for name in ("loss", "replay", "l2")} == {
        name: first[name] for name in ("loss", "replay", "l2")
    }
    assert other["grad_norm"] > first["grad_norm"]
    assert first["tokens_computed"] > first["tokens"]


def test_the_gradient_is_that_of_the_weighted_mean(make_run: MakeRun) -> None:
    tiny = make_run("one")
    guards = guards_of(tiny, weight=3.0)
    only = Guards(guards.rehearsals[:1])
    held = guard_gradients(tiny.decoder, only, 1, 16, tiny.world)
    found = {name: parameter.grad.clone() for name, parameter in tiny.parameters.items() if parameter.grad is not None}
    tiny.decoder.zero_grad()
    (forest,) = guards.rehearsals[0].passes(1, 0, 1, 1000)
    mean = SFT().terms(tiny.decoder, forest)["answer"] / len(forest.target_at_N)
    (3.0 * mean).backward()
    assert held.means["replay"] == pytest.approx(float(mean.detach()), rel=1e-5)
    for name, parameter in tiny.parameters.items():
        assert parameter.grad is not None
        assert torch.allclose(found[name], parameter.grad, atol=1e-6)


def test_a_guard_that_is_not_finite_stops_the_run_by_name(make_run: MakeRun) -> None:
    tiny = make_run("bad")
    before = weights(tiny)
    with pytest.raises(NotFinite) as caught:
        tiny.train(guards=Guards(penalties=[Bad()]))
    assert "loss (bad)" in str(caught.value)
    assert "protect.bad" in str(caught.value)
    assert same(before, weights(tiny))


def test_no_guards_change_nothing(make_run: MakeRun) -> None:
    plain, empty = make_run("plain"), make_run("empty")
    plain.train()
    empty.train(guards=Guards([], []))
    assert plain.run.metrics.read_bytes() == empty.run.metrics.read_bytes()


def test_the_largest_pass_of_the_next_updates_is_tried(make_run: MakeRun) -> None:
    tiny = make_run("one")
    guard = guards_of(tiny).rehearsals[0]
    found = largest_pass(guard, 1000, tiny.world)
    assert found is not None
    assert found.tokens == max(forest.tokens for step in range(8) for forest in guard.passes(step, 0, 1, 1000))
    assert NO_GUARDS.names == ()
    assert tiny.world.device == CPU
