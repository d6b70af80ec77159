"""A model that knows something learns something else at a high rate: without guards the first is lost, with each it is
kept better."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor

from burnish.adapt import lora, methods
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.world import single_world
from burnish.guards.distance import LowRank, UpdatePenalty, WeightPenalty, keep_start
from burnish.guards.fisher import diagonal_fisher, factored_fisher
from burnish.guards.kl import KL, remember
from burnish.guards.replay import Replay
from burnish.guards.schedule import Schedule
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.model.load import build_decoder
from burnish.objectives.sft import SFT
from burnish.train.guarding import guard_gradients
from burnish.train.optimiser import AdamW, forget_gradients
from burnish.train.work import NO_GUARDS, Guards
from tests.tiny import make_model
from tests.unit.train.conftest import TOKENIZER, rows_of

OLD = rows_of({"sky": "blue", "grass": "green", "late parcel": "refund, the third", "one": "two"}).rendered
NEW = rows_of({"tide": "no", "list": "an order", "fox": "yes", "and you?": "maybe"}).rendered
SFT_LOSS = SFT()


def loss(model: Decoder, forest: Forest) -> Tensor:
    return SFT_LOSS.terms(model, forest)["answer"]


def mean_loss(model: Decoder, rows: object) -> Tensor:
    (forest,) = SFT_LOSS.passes(list(enumerate(rows)), 10_000)  # type: ignore[call-overload]
    return loss(model, forest) / len(forest.target_at_N)


def descend(decoder: Decoder, rows: object, steps: int, rate: float, guards: Guards = NO_GUARDS) -> None:
    parameters, world = methods.trainable(decoder), single_world()
    optimiser = AdamW(parameters, 0.0)
    for step in range(steps):
        mean_loss(decoder, rows).backward()
        guard_gradients(decoder, guards, step, 10_000, world)
        optimiser.step(rate)
        forget_gradients(parameters)


def empty(adapt: AdaptSettings, tensors: dict[str, Tensor] | None = None) -> Decoder:
    model = make_model(len(TOKENIZER))
    weights = tensors or dict(model.state_dict())
    decoder = build_decoder(model.config.to_dict(), weights, dtype=torch.float32, device=torch.device("cpu"))
    methods.apply(decoder, adapt)
    return decoder


@cache
def schooled() -> dict[str, Tensor]:
    """The weights of a model that knows the old answers."""
    decoder = empty(FullSettings())
    descend(decoder, OLD, 60, 3e-3)
    assert float(mean_loss(decoder, OLD).detach()) < 0.1
    return {name: tensor.clone() for name, tensor in methods.merged_tensors(decoder).items()}


def replay(decoder: Decoder) -> Guards:
    return Guards([Replay("replay", 1.0, OLD, Schedule(len(OLD), 2.0, 0), SFT_LOSS)])


def kl(decoder: Decoder) -> Guards:
    before = remember(decoder, OLD, SFT_LOSS.passes, 10_000)
    return Guards([KL(1.0, OLD, Schedule(len(OLD), 2.0, 0), SFT_LOSS.passes, before)])


def distance(weight: float, counted: bool) -> Callable[[Decoder], Guards]:
    def make(decoder: Decoder) -> Guards:
        forests = SFT_LOSS.passes(list(enumerate(OLD)), 1)
        layers, parameters = lora.layers(decoder), methods.trainable(decoder)
        if layers:
            fisher = factored_fisher(decoder, layers, forests, loss) if counted else {}
            updates = [LowRank(one.lora_A, one.lora_B, one.scale, *fisher.get(name, (None, None)))
                       for name, one in layers.items()]  # fmt: skip
            return Guards(penalties=[UpdatePenalty("held", weight, updates)])
        information = diagonal_fisher(decoder, parameters, forests, loss) if counted else None
        return Guards(penalties=[WeightPenalty("held", weight, parameters, keep_start(parameters), information)])

    return make


GUARDS: dict[str, Callable[[Decoder], Guards]] = {
    "replay": replay,
    "kl": kl,
    "l2": distance(0.3, counted=False),
    "ewc": distance(1e6, counted=True),
}


@pytest.mark.parametrize("adapt", [LoRASettings(r=8, alpha=16), FullSettings()], ids=["LoRA", "full"])
def test_what_is_lost_without_guards_is_kept_with_each(adapt: AdaptSettings) -> None:
    rate = 1e-2 if isinstance(adapt, LoRASettings) else 3e-3
    found: dict[str, tuple[float, float]] = {}
    for name, make in {"none": lambda decoder: NO_GUARDS, **GUARDS}.items():
        decoder = empty(adapt, schooled())
        descend(decoder, NEW, 30, rate, make(decoder))
        found[name] = float(mean_loss(decoder, OLD).detach()), float(mean_loss(decoder, NEW).detach())

    assert found["none"][0] > 1.0
    for name in GUARDS:
        assert found[name][1] < 0.5, name
        assert found[name][0] < 0.5 * found["none"][0], name
