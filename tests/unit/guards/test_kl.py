"""KL to the model before training, against two whole models side by side."""

from __future__ import annotations

import pytest
import torch

from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.guards.kl import KL, remember
from burnish.guards.schedule import Schedule
from burnish.model.decoder import Decoder
from burnish.objectives.sft import SFT
from tests.unit.guards.conftest import ROWS, move, tiny

METHODS = pytest.mark.parametrize("adapt", [LoRASettings(r=4, alpha=8), FullSettings()], ids=["LoRA", "full"])


def guard_of(decoder: Decoder, per_update: float = 3.0) -> KL:
    before = remember(decoder, ROWS, SFT().passes, 64)
    return KL(1.0, ROWS, Schedule(len(ROWS), per_update, 0), SFT().passes, before)


@METHODS
def test_at_the_start_it_is_zero_and_pulls_nowhere(adapt: AdaptSettings) -> None:
    decoder = tiny(adapt)
    guard = guard_of(decoder)
    for forest in guard.passes(0, 0, 1, 1000):
        value = guard.term(decoder, forest)
        value.backward()
        assert abs(float(value.detach())) < 1e-5
    slopes = [parameter.grad.abs().max() for parameter in decoder.parameters() if parameter.grad is not None]
    assert max(slopes) < 1e-5


@METHODS
def test_it_is_the_mean_divergence_of_two_models(adapt: AdaptSettings) -> None:
    """Five rows a step out of four: one of them twice, in one forest with itself."""
    start, moved = tiny(adapt, torch.float64), tiny(adapt, torch.float64)
    guard = guard_of(moved, per_update=5.0)
    move(moved, 0.3)
    total, count = 0.0, 0
    for row in Schedule(len(ROWS), 5.0, 0).at(1):
        (forest,) = SFT().passes([(0, ROWS[row])], 1)
        logits = [model.logits(model.hidden(forest)[forest.target_at_N]).detach() for model in (start, moved)]
        logprobs = [one.double().log_softmax(-1) for one in logits]
        total += float((logprobs[0].exp() * (logprobs[0] - logprobs[1])).sum())
        count += len(forest.target_at_N)
    passes = guard.passes(1, 0, 1, 1000)
    assert len(passes) == 1
    assert guard.count(passes) == count
    assert total / count > 0.01
    assert sum(float(guard.term(moved, forest).detach()) for forest in passes) == pytest.approx(total, rel=1e-5)


def test_the_gradient_is_that_of_finite_differences() -> None:
    decoder = tiny(LoRASettings(r=4, alpha=8), torch.float64)
    guard = guard_of(decoder)
    move(decoder)
    parameter = next(p for name, p in decoder.named_parameters() if "mlp.down_proj.lora_B" in name)
    parameter.data = parameter.data.double()

    def value() -> torch.Tensor:
        return sum((guard.term(decoder, forest) for forest in guard.passes(0, 0, 1, 64)), torch.zeros(()))

    value().backward()
    assert parameter.grad is not None
    expected = float(parameter.grad[3, 1])
    values = []
    for step in (1e-5, -2e-5):
        parameter.data[3, 1] += step
        values.append(float(value().detach()))
    assert (values[0] - values[1]) / 2e-5 == pytest.approx(expected, rel=1e-5)


def test_ranks_share_the_rows() -> None:
    guard = guard_of(tiny(LoRASettings(r=4, alpha=8)))
    whole = guard.count(guard.passes(2, 0, 1, 64))
    assert sum(guard.count(guard.passes(2, rank, 2, 64)) for rank in range(2)) == whole
    assert guard.count(guard.passes(2, 3, 4, 64)) == 0
