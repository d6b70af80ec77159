"""The matrices beside which something is put: what is asked of their layers, and which of them a recipe names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder


@runtime_checkable
class FrozenLinear(Protocol):
    """A layer of the base, whatever form its weight is kept in: `dense` gives it, (out, in), in any precision."""

    in_features: int
    out_features: int
    bias: Tensor | None

    def dense(self, dtype: torch.dtype) -> Tensor: ...

    def __call__(self, x: Tensor) -> Tensor: ...


def find_targets(decoder: Decoder, names: Sequence[str]) -> list[tuple[str, FrozenLinear]]:
    """Every matrix inside the layers whose last name is among these, under its transformers name.

    Raises RecipeError: a name matches nothing.
    """
    inside = decoder.model.layers.named_modules(prefix="model.layers")
    linears = [(name, module) for name, module in inside if isinstance(module, FrozenLinear)]
    known = {name.rpartition(".")[2] for name, _ in linears}
    if missing := sorted(set(names) - known):
        raise RecipeError(
            "`adapt.targets` names a matrix that this model does not have.",
            seen=", ".join(missing),
            next_move=f"use some of: {', '.join(sorted(known))}",
        )
    return [(name, linear) for name, linear in linears if name.rpartition(".")[2] in names]
