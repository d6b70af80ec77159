"""The matrices beside which something is put: those that a recipe names."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder
from burnish.model.frozen_linear import FrozenLinear


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
