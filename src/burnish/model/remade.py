"""Tensors that the backward pass makes again, where that is cheaper than keeping them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class _Remade:
    """A tensor that is made when it is first asked for, and let go when all who would have kept it have asked."""

    def __init__(self, make: Callable[[], Tensor]) -> None:
        self.make = make
        self.waiting = 0
        self.made: Tensor | None = None

    def take(self) -> Tensor:
        made = self.make() if self.made is None else self.made
        self.waiting -= 1
        self.made = made if self.waiting > 0 else None
        return made


def remade(tensor: Tensor, make: Callable[[], Tensor]) -> torch.autograd.graph.saved_tensors_hooks:
    """A block in which autograd keeps `make` where it would keep `tensor`; `make` gives the same numbers without a
    graph, from tensors that are kept anyway."""
    place, shape = tensor.data_ptr(), tensor.shape
    again = _Remade(make)

    def keep(kept: Tensor) -> Tensor | _Remade:
        if kept.data_ptr() != place or kept.shape != shape:
            return kept
        again.waiting += 1
        return again

    return torch.autograd.graph.saved_tensors_hooks(keep, _given)


def _given(kept: Tensor | _Remade) -> Tensor:
    return kept.take() if isinstance(kept, _Remade) else kept
