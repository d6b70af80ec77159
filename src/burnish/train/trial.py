"""One pass before step 1, the largest that training will meet: what does not fit fails in the first minute.

Afterwards everything is as before, to the last bit: the optimiser's step is at rate zero with gradients of zero, and
its state, the gradients and the random numbers are put back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from burnish.core.errors import BurnishError
from burnish.core.hardware import (
    available_memory_bytes,
    forget_peak,
    peak_resident_bytes,
    resident_bytes,
    return_free_memory,
)
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.train.guarding import try_guards
from burnish.train.optimiser import AdamW, forget_gradients
from burnish.train.rules import Plan
from burnish.train.work import NO_GUARDS, Guards, Objective, Row, Rows

FIRST = 8  # a first, safe pass has about an eighth of the largest one's tokens
SPARE = 0.8  # share of the free memory that the setting we name may fill
STEP = 16  # the setting we name is a multiple of this many tokens
FEWEST = 64  # tokens: below this it is not the length of a pass that is wrong
WORDS = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc")  # of torch on CUDA and CPU


@dataclass(frozen=True)
class Passes:
    """What is tried: a small pass, the largest of the longest rows, one of them of any size between; and the most
    tokens that any pass may have."""

    small: Forest
    large: Forest
    of_at_most: Callable[[int], Forest]
    most: int
    longest_row: int
    recompute: bool


def try_largest_pass(
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    optimiser: AdamW,
    objective: Objective[Row],
    rows: Rows[Row],
    plan: Plan,
    world: World,
    guards: Guards = NO_GUARDS,
) -> None:
    """Forward, backward and the optimiser's state at the size that training will need.

    Raises BurnishError with the setting that would fit: the memory is not enough, or the kernel would end the process.
    A resumed optimiser has its state already; its moments stay as they are.
    """
    passes = _choose(model, objective, rows, plan, world)
    begun = bool(optimiser.tensors)
    with torch.random.fork_rng(devices=[world.device] if world.device.type == "cuda" else []):
        try:
            for parameter in parameters.values():
                parameter.grad = torch.zeros_like(parameter)
            if not begun:
                optimiser.step(0.0)  # makes the moments, changes no weight
            _try_passes(model, objective, passes, world)
            try_guards(model, guards, plan.tokens_per_pass, world)
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            raise _refusal(passes, 0, str(error).splitlines()[0][:200]) from error
        finally:
            forget_gradients(parameters)
            if not begun:
                optimiser.tensors.clear()


def _choose(model: Decoder, objective: Objective[Row], rows: Rows[Row], plan: Plan, world: World) -> Passes:
    lengths = rows.lengths or [sum(forest.tokens for forest in objective.passes([row], 1))
                               for row in rows.take(range(len(rows.rendered)))]  # fmt: skip
    order = sorted(range(len(lengths)), key=lambda number: lengths[number], reverse=True)
    share = math.ceil(plan.rows_per_update / world.size)
    longest = order[:share]
    large = _largest(objective.passes(rows.take(longest), plan.tokens_per_pass))
    few = order[::-1][: max(1, share // FIRST)]
    small = _largest(objective.passes(rows.take(few), max(1, large.tokens // FIRST)))

    def of_at_most(tokens: int) -> Forest:
        return _largest(objective.passes(rows.take(longest), tokens))

    together = sum(lengths[number] for number in longest)
    most = max(large.tokens, min(max(plan.tokens_per_pass, lengths[order[0]]), together))
    return Passes(small, large, of_at_most, most, lengths[order[0]], model.recompute)


def _largest(forests: Sequence[Forest]) -> Forest:
    return max(forests, key=lambda forest: forest.tokens)


def _try_passes(model: Decoder, objective: Objective[Row], passes: Passes, world: World) -> None:
    """A smaller pass tells what a larger one will take, before the kernel has a reason to end us."""
    room, before = _memory(world)
    per_token = 0.0
    if 2 * passes.small.tokens <= passes.large.tokens:
        per_token = _measure(model, objective, passes.small, passes, before, world)
        if room is not None and 2 * per_token * passes.most > room:  # it may be tight, and it pays to know better
            room, before = _memory(world)  # threads and kernels are set up once: the first pass counted them too
            per_token = _measure(model, objective, passes.small, passes, before, world)
        if room is not None and 2 * per_token * passes.most > room:
            safe = min(passes.large.tokens // 2, int(SPARE * room / per_token))
            middle = passes.of_at_most(max(1, safe))
            if per_token * middle.tokens <= room:
                per_token = max(per_token, _measure(model, objective, middle, passes, before, world))
    if room is None or per_token * passes.most <= room:
        per_token = _measure(model, objective, passes.large, passes, before, world)
    if room is not None and per_token * passes.most > room:
        raise _too_large(passes, per_token, room)


def _measure(
    model: Decoder, objective: Objective[Row], forest: Forest, passes: Passes, before: int, world: World
) -> float:
    """Bytes a token. Raises BurnishError where memory ran out although the sum of what is free would do."""
    _forget_peak(world)
    try:
        _compute(model, objective, forest, world)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise _refusal(passes, forest.tokens // 2, str(error).splitlines()[0][:200]) from error
    return max(1, _peak(world) - before) / forest.tokens


def _too_large(passes: Passes, per_token: float, room: int) -> BurnishError:
    seen = f"about {_mib(per_token * passes.most)} are needed for it, {_mib(room)} are free"
    return _refusal(passes, int(SPARE * room / per_token), seen)


def _compute(model: Decoder, objective: Objective[Row], forest: Forest, world: World) -> None:
    terms = objective.terms(model, forest.to(world.device))
    torch.autograd.backward([term for term in terms.values() if term.requires_grad])


def _refusal(passes: Passes, fits: int, seen: str) -> BurnishError:
    """`fits`: how many tokens a pass may have."""
    fits = fits // STEP * STEP
    less = "" if passes.recompute else "keep less of every token: --set train.recompute=true, or "
    if fits < FEWEST:
        move = f"{less}end other programs, use a machine with more memory, or a smaller model"
    elif fits >= passes.longest_row:
        move = f"{less}compute fewer tokens at once: --set train.tokens_per_pass={fits}"
    else:
        move = (f"{less}leave out rows longer than {fits} tokens (the longest has {passes.longest_row}): "
                f"--set model.context={fits} --set train.tokens_per_pass={fits} --fresh")  # fmt: skip
    return BurnishError(
        "There is not enough memory for the largest pass; nothing was trained yet.",
        where=f"a pass of up to {passes.most:,} tokens",
        seen=seen,
        next_move=move,
    )


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(word in str(error) for word in WORDS)


def _room(world: World) -> int | None:
    """Bytes that this rank may still take."""
    if world.device.type == "cuda":
        free = torch.cuda.mem_get_info(world.device)[0]
        return free + torch.cuda.memory_reserved(world.device) - torch.cuda.memory_allocated(world.device)
    free_here = available_memory_bytes()
    return None if free_here is None else free_here // world.beside


def _memory(world: World) -> tuple[int | None, int]:
    """`_room` and `_held` after what was freed is given back: a small pass that lives in it would seem to need none."""
    return_free_memory()
    return _room(world), _held(world)


def _held(world: World) -> int:
    return torch.cuda.memory_allocated(world.device) if world.device.type == "cuda" else resident_bytes()


def _forget_peak(world: World) -> None:
    if world.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(world.device)
    else:
        forget_peak()


def _peak(world: World) -> int:
    return torch.cuda.max_memory_allocated(world.device) if world.device.type == "cuda" else peak_resident_bytes()


def _mib(size: float) -> str:
    return f"{size / 2**20:,.0f} MiB"
