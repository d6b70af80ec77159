"""What a method of adaptation is: a few functions. Each method is a file in this folder that gives one `Method`, and a
line in the registry of `methods`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch import Tensor

from burnish.core.errors import RecipeError
from burnish.core.settings import Settings
from burnish.model.decoder import Decoder

S = TypeVar("S", bound=Settings)


def no_rates(decoder: Decoder, settings: Settings) -> dict[str, float]:
    """All parameters learn at the rate of the recipe."""
    return {}


def same(settings: S) -> S:
    """It is loaded with the settings that it was trained with."""
    return settings


def nothing_more(decoder: Decoder) -> None:
    """It computes in every pass what it computes."""


@dataclass(frozen=True)
class Adapter(Generic[S]):
    """What can be done with something that stands beside the base, which itself stays as it is.

    switch(decoder, on)               off: the base again, to the last bit
    state(decoder, settings)          tensors under the names of peft's files
    config(settings, base)            adapter_config.json as peft reads it, plain data; `base` names the base model
    load(decoder, settings, tensors)  the inverse of `state`, after `apply`; names and shapes have been checked
    merged(decoder)                   the base's weights that the adapter changes, under transformers' names, with it
                                      worked in; raises RecipeError where the mathematics has no merged form
    settle(decoder)                   where it only generates from now on: what is the same in every pass is made once
    saved(settings)                   the settings that `state` and `config` have the form of, with which it is loaded
    """

    switch: Callable[[Decoder, bool], None]
    state: Callable[[Decoder, S], Mapping[str, Tensor]]
    config: Callable[[S, str], dict[str, Any]]
    load: Callable[[Decoder, S, Mapping[str, Tensor]], None]
    merged: Callable[[Decoder], Mapping[str, Tensor]]
    saved: Callable[[S], S] = same
    settle: Callable[[Decoder], None] = nothing_more


@dataclass(frozen=True)
class Method(Generic[S]):
    """How a frozen decoder is readied for training.

    apply(decoder, settings, seed)  leaves `requires_grad` on exactly what trains, in float32 (float64 where the base
                                    is); raises RecipeError where the settings do not fit the model
    adapter                         None: the base's own weights train, and the whole model is saved
    merged(decoder)                 for a method without an adapter whose updates stand beside the base until the whole
                                    model is saved: as `Adapter.merged`
    rates(decoder, settings)        name of a parameter → its learning rate, in multiples of the recipe's; default 1
    """

    apply: Callable[[Decoder, S, int], None]
    adapter: Adapter[S] | None = None
    merged: Callable[[Decoder], Mapping[str, Tensor]] | None = None
    rates: Callable[[Decoder, S], Mapping[str, float]] = no_rates


def fill(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Copies tensors of the same names and shapes into those of an adapter's `state`."""
    for name, tensor in wanted.items():
        tensor.copy_(tensors[name])


def no_merged_form(what: str) -> RecipeError:
    """The error of methods that the base's weights cannot hold."""
    return RecipeError(
        f"{what} can't be merged into the weights.",
        next_move="write `export: [adapter]`, and serve it beside its base",
    )
