"""The pass that is tried before step 1: it leaves no trace, and refuses in time with a setting that fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.hardware import available_memory_bytes
from burnish.objectives.sft import SFT
from burnish.train.loop import measure, update
from burnish.train.optimiser import AdamW
from burnish.train.trial import try_largest_pass
from tests.ranks import run_ranks
from tests.unit.train import memory_jobs
from tests.unit.train.conftest import MakeRun, TinyRun


def try_it(tiny: TinyRun, optimiser: AdamW) -> None:
    try_largest_pass(tiny.decoder, tiny.parameters, optimiser, SFT(), tiny.rows, tiny.plan, tiny.world)


def bits(tensors: dict[str, Tensor]) -> dict[str, bytes]:
    return {name: tensor.detach().numpy().tobytes() for name, tensor in tensors.items()}


@pytest.mark.parametrize("adapt", [LoRASettings(r=4, alpha=8), FullSettings()], ids=["LoRA", "full"])
def test_everything_is_as_before_to_the_last_bit(make_run: MakeRun, adapt: AdaptSettings) -> None:
    tiny = make_run("tried", adapt)
    next(iter(tiny.parameters.values())).data[0, 0] = -0.0  # even the sign of a zero
    optimiser = AdamW(tiny.parameters, weight_decay=0.1)
    before, random = bits(tiny.parameters), torch.get_rng_state()
    everything = bits(dict(tiny.decoder.named_parameters()))
    try_it(tiny, optimiser)
    assert bits(tiny.parameters) == before
    assert bits(dict(tiny.decoder.named_parameters())) == everything
    assert not optimiser.tensors
    assert all(parameter.grad is None for parameter in tiny.decoder.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_a_resumed_optimiser_keeps_its_moments(make_run: MakeRun) -> None:
    tiny = make_run("resumed")
    optimiser = AdamW(tiny.parameters, weight_decay=0.0)
    update(tiny.decoder, tiny.parameters, optimiser, SFT(), tiny.rows, tiny.plan, tiny.settings, tiny.world, 0)
    before = bits(optimiser.tensors)
    try_it(tiny, optimiser)
    assert before
    assert bits(optimiser.tensors) == before


def test_training_is_the_same_with_and_without_the_trial(make_run: MakeRun) -> None:
    tried, other = make_run("tried"), make_run("other")
    tried.train()
    optimiser = AdamW(other.parameters, tried.settings.weight_decay)
    for step in range(other.plan.evaluate_every):
        line = update(other.decoder, other.parameters, optimiser, SFT(), other.rows, other.plan, other.settings,
                      other.world, step)  # fmt: skip
    dev = measure(other.decoder, SFT(), other.dev, other.plan, other.world)
    assert f'"loss": {line["loss"]!r},' in tried.run.metrics.read_text().splitlines()[other.plan.evaluate_every - 1]
    assert f'"dev_loss": {dev!r}' in tried.run.metrics.read_text().splitlines()[other.plan.evaluate_every - 1]


@pytest.mark.skipif(available_memory_bytes() is None, reason="this system does not say how much memory is free")
@pytest.mark.parametrize("job", [memory_jobs.refuse_then_fit, memory_jobs.refuse_all])
def test_too_little_memory_is_refused_before_step_1_with_a_setting_that_then_works(
    tmp_path: Path, job: Callable[..., None]
) -> None:
    """In a fresh process, since the limit is on what a process has taken in all its life."""
    assert run_ranks(1, tmp_path, job, tmp_path) == [""]
