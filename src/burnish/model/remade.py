"""Tensors that the backward pass makes again, where that is cheaper than keeping them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks


class _Remade:
    """How a tensor is made again."""

    def __init__(self, make: Callable[[], Tensor]) -> None:
        self.make = make


def remade(tensor: Tensor, make: Callable[[], Tensor]) -> saved_tensors_hooks:
    """A block in which autograd keeps `make` where it would keep `tensor`. `make` gives the same numbers, from what is
    kept anyway."""
    place, shape = tensor.data_ptr(), tensor.shape
    again = _Remade(make)

    def keep(kept: Tensor) -> Tensor | _Remade:
        return again if kept.data_ptr() == place and kept.shape == shape else kept

    return saved_tensors_hooks(keep, lambda kept: kept.make() if isinstance(kept, _Remade) else kept)


class _Enough(Exception):  # noqa: N818 - no error: all that was wanted is there
    pass


class _Recomputed:
    """A function that runs twice: forward without keeping anything but its input, and again when its gradient asks for
    the first thing that autograd would have kept. The second run ends with the last such thing.

    torch's own checkpoint forbids to look at a kept tensor twice, as `remade` does.
    """

    def __init__(self, run: Callable[[Tensor], Tensor], x: Tensor) -> None:
        self.run, self.x = run, x.detach().requires_grad_(x.requires_grad)
        self.wanted = 0
        self.kept: list[Tensor] = []  # goes with this object, when autograd has let go of the last place

    def note(self, _: Tensor) -> int:
        self.wanted += 1
        return self.wanted - 1

    def give(self, place: int) -> Tensor:
        if not self.kept:
            try:
                with torch.enable_grad(), saved_tensors_hooks(self._keep, _never):
                    self.run(self.x)
            except _Enough:
                pass
        return self.kept[place]

    def _keep(self, tensor: Tensor) -> None:
        self.kept.append(tensor.detach())
        if len(self.kept) == self.wanted:
            raise _Enough


def _never(_: None) -> Tensor:
    raise RuntimeError("the second run of a function has no backward pass")


def recomputed(run: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """run(x), of which only x is kept for the backward pass (arXiv 1604.06174). `run` must give the same twice."""
    again = _Recomputed(run, x)
    with saved_tensors_hooks(again.note, again.give):
        return run(x)
