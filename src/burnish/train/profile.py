"""Where the time of a training step goes: what `burnish train --profile` prints.

Neither the loop nor the network knows of it: torch's profiler watches the operators, and hooks on all modules mark
whose they are and see where a step begins. Backward operators count where their forward ones do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.autograd.profiler_util import FunctionEvent
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.profiler import ProfilerActivity, profile, record_function, schedule

from burnish.adapt.lora import LoRALinear
from burnish.core.errors import BurnishError
from burnish.model.decoder import MLP, Attention, Decoder, Layer, Linear, RMSNorm

WARM_STEPS = 2  # steps before the profiler looks: they fill caches
STEPS = 4
MARK = "burnish/"
ENGINE = "autograd::engine::evaluate_function"

PRODUCTS, CASTS, LORA, ATTENTION = "matrix products", "casts of weights that train", "LoRA", "attention"
POINTWISE, OUTPUT, OPTIMISER = "norms, rotary, pointwise", "output layer, loss", "optimiser, clipping"
OTHER, BETWEEN = "packing, other operators", "Python between operators"
PARTS = (PRODUCTS, CASTS, LORA, ATTENTION, POINTWISE, OUTPUT, OPTIMISER, OTHER, BETWEEN)

MARKED: Mapping[type[nn.Module], str] = {
    Linear: PRODUCTS,
    LoRALinear: LORA,
    Attention: ATTENTION,
    RMSNorm: POINTWISE,
    MLP: POINTWISE,
    Layer: POINTWISE,
    Decoder: POINTWISE,
}
# Functions with a gradient of their own, by the name under which the profiler shows them and their backward.
FUNCTIONS = (
    (re.compile(r"^_TargetLogprobs"), OUTPUT),
    (re.compile(r"^_Packed|scaled_dot_product"), ATTENTION),
    (re.compile(r"^_(Norm|Gated|Rotate)"), POINTWISE),
    (re.compile(r"_fused_adamw|_foreach|vector_norm|AccumulateGrad"), OPTIMISER),
)
ROTARY = re.compile(r"^aten::(mul|neg|cat|add|slice)$")  # in the attention module itself
CAST = re.compile(r"^aten::(to|_to_copy|copy_)$")
PRODUCT = re.compile(r"^aten::(mm|addmm|addmm_|linear)$")


@dataclass(frozen=True)
class Profile:
    """Seconds a step by part, and of a step as a whole with and without the profiler."""

    seconds: Mapping[str, float]
    step: float
    step_unwatched: float

    def lines(self) -> list[str]:
        """A table for a person."""
        rows = [
            f"{part:<28} {1000 * seconds:10.2f} ms {seconds / self.step:6.1%}" for part, seconds in self.seconds.items()
        ]
        whole = f"{'a step':<28} {1000 * self.step:10.2f} ms (without the profiler {1000 * self.step_unwatched:.2f} ms)"
        return [*rows, whole]


@contextmanager
def profiled(say: Callable[[str], None], steps: int = STEPS) -> Iterator[None]:
    """Profiles `steps` updates of the training inside the block, after a few to warm up, and says the table.

    Raises BurnishError after the block: fewer updates were made.
    """
    begun: list[float] = []
    found: list[Profile] = []

    def evaluate(watch: profile) -> None:
        watched = begun[WARM_STEPS : WARM_STEPS + steps + 1]
        whole = (watched[-1] - watched[0]) / steps
        events = list(watch.events() or ())  # type: ignore[no-untyped-call]
        unwatched = begun[WARM_STEPS - 1] - begun[WARM_STEPS - 2]
        found.append(Profile(seconds_by_part(events, whole, steps), whole, unwatched))

    plan = schedule(wait=WARM_STEPS, warmup=1, active=steps, repeat=1)
    with _watching(plan, evaluate) as watch, _marks():

        def enter(module: nn.Module, _: Any) -> None:
            if begins_step(module):
                begun.append(time.perf_counter())
                watch.step()

        hook = register_module_forward_pre_hook(enter)
        try:
            yield
        finally:
            hook.remove()
    if len(begun) <= WARM_STEPS + steps:
        raise BurnishError(
            "There was too little training to profile.",
            seen=f"{len(begun)} updates",
            next_move=f"train at least {WARM_STEPS + steps + 1} updates anew: --fresh, --set train.steps=20",
        )
    for line in found[0].lines():
        say(line)


def begins_step(module: nn.Module) -> bool:
    """Whether a network that is about to read begins an update: it learns, and has no gradients yet, as it has in the
    trial before step 1 and in an update's later passes."""
    if not isinstance(module, Decoder) or not torch.is_grad_enabled():
        return False
    return all(parameter.grad is None for parameter in module.parameters())


def _watching(plan: Callable[[int], Any], evaluate: Callable[[profile], None]) -> profile:
    return profile(activities=[ProfilerActivity.CPU], schedule=plan, on_trace_ready=evaluate, record_shapes=True)


@contextmanager
def _marks() -> Iterator[None]:
    """Names the module at work in the profiler's record."""
    open_marks: list[record_function] = []

    def enter(module: nn.Module, _: Any) -> None:
        if type(module) in MARKED:
            mark = record_function(MARK + type(module).__name__ + _rank(module))
            mark.__enter__()  # type: ignore[no-untyped-call]
            open_marks.append(mark)

    def leave(module: nn.Module, *_: Any) -> None:
        if type(module) in MARKED and open_marks:
            open_marks.pop().__exit__(None, None, None)

    hooks = (register_module_forward_pre_hook(enter), register_module_forward_hook(leave, always_call=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _rank(module: nn.Module) -> str:
    """ " 16" for LoRA: its products are told from those of the matrix beside it by their shapes."""
    return f" {module.lora_A.shape[0]}" if isinstance(module, LoRALinear) else ""


OWNERS = {MARK + kind.__name__: part for kind, part in MARKED.items()}


def seconds_by_part(events: Sequence[FunctionEvent], step: float, steps: int) -> dict[str, float]:
    """Sums the operators' own times. What is left of the steps' wall time is Python."""
    made_by = _forward_events(events)
    seconds = dict.fromkeys(PARTS, 0.0)
    for event in events:
        if event.self_cpu_time_total > 0 and not event.name.startswith("ProfilerStep"):
            seconds[_part(event, made_by)] += event.self_cpu_time_total / 1e6 / steps
    seconds[BETWEEN] = max(0.0, step - sum(seconds.values()))
    return seconds


def _forward_events(events: Sequence[FunctionEvent]) -> dict[int, FunctionEvent]:
    """By the number that a forward operator shares with its backward: the last to carry a number is the one."""
    made_by: dict[int, FunctionEvent] = {}
    for event in sorted(events, key=lambda one: one.time_range.start):
        if event.sequence_nr >= 0 and not event.name.startswith("autograd::") and "Backward" not in event.name:
            made_by[event.sequence_nr] = event
    return made_by


def _part(event: FunctionEvent, made_by: Mapping[int, FunctionEvent]) -> str:
    at: FunctionEvent | None = event
    while at is not None:
        if at.name.startswith(ENGINE) and (forward := made_by.get(at.sequence_nr)) is not None:
            return _owner(forward, backward=event)
        at = at.cpu_parent
    return _owner(event)


def _owner(event: FunctionEvent, backward: FunctionEvent | None = None) -> str:
    """The part that a forward operator belongs to, and with it the operator of its backward."""
    at: FunctionEvent | None = event
    while at is not None:
        for pattern, part in FUNCTIONS:
            if pattern.search(at.name):
                return part
        kind, _, rank = at.name.partition(" ")
        if kind in OWNERS:
            return _of_adapter(backward or event, rank) if rank else _within(OWNERS[kind], event.name)
        at = at.cpu_parent
    return OUTPUT if event.name == "aten::index" else OTHER


def _of_adapter(event: FunctionEvent, rank: str) -> str:
    """LoRA and the matrix beside it are computed together; a product with the rank among its sizes is LoRA's."""
    if not PRODUCT.match(event.name):
        return LORA
    shapes: Any = event.input_shapes  # lists of sizes, whatever torch's annotation says
    return LORA if int(rank) in {size for shape in shapes for size in shape} else PRODUCTS


def _within(part: str, name: str) -> str:
    """A module's operators are not all of one kind."""
    if part == PRODUCTS:
        return CASTS if CAST.match(name) else PRODUCTS
    if part == ATTENTION and ROTARY.match(name):
        return POINTWISE
    if part == POINTWISE and PRODUCT.match(name):
        return PRODUCTS
    return OTHER if name == "aten::embedding" else part
