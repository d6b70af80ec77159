"""The gradients of further terms of the loss, those that hold a model to what it knew."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.train.work import Guards, Rehearsal

LOOK_AHEAD = 8  # updates among whose passes the largest one is looked for


@dataclass(frozen=True)
class Held:
    """What the guards came to in one update: the mean of each over all ranks, not yet times its weight; and how many
    tokens this rank computed for them."""

    means: dict[str, float]
    tokens: int


def guard_gradients(model: Decoder, guards: Guards, step: int, tokens_per_pass: int, world: World) -> Held:
    """Adds what guards want to this rank's gradients. A rehearsal that has no rows at this step has no mean.

    A penalty is the same on every rank and gradients are summed over them, so that rank 0 alone adds it.
    """
    sums: dict[str, float] = {}
    tokens = 0
    for guard in guards.rehearsals:
        passes = [forest.to(world.device) for forest in guard.passes(step, world.rank, world.size, tokens_per_pass)]
        count = world.sum({guard.name: guard.count(passes)})[guard.name]
        if count:
            sums[guard.name] = sum(_learn(guard.term(model, forest) / count, guard.weight) for forest in passes)
        tokens += sum(forest.tokens for forest in passes)
    for penalty in guards.penalties:
        parts = penalty.parts() if world.rank == 0 else ()
        sums[penalty.name] = sum(_learn(part, penalty.weight) for part in parts)
    totals = world.sum(sums)
    return Held({name: totals[name] for name in sums}, tokens)


def _learn(term: Tensor, weight: float) -> float:
    torch.autograd.backward(weight * term)
    return float(term.detach())


def try_guards(model: Decoder, guards: Guards, tokens_per_pass: int, world: World) -> None:
    """Computes the largest pass of each guard once, and what penalties need, for what it takes of memory."""
    for guard in guards.rehearsals:
        if largest := largest_pass(guard, tokens_per_pass, world):
            _learn(guard.term(model, largest.to(world.device)), guard.weight)
    for penalty in guards.penalties:
        for part in penalty.parts():
            _learn(part, penalty.weight)


def largest_pass(guard: Rehearsal, tokens_per_pass: int, world: World) -> Forest | None:
    """The largest of the first updates."""
    ahead = [guard.passes(step, world.rank, world.size, tokens_per_pass) for step in range(LOOK_AHEAD)]
    return max((forest for passes in ahead for forest in passes), key=lambda forest: forest.tokens, default=None)
