"""What a layer of the base looks like to whatever stands beside it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class FrozenLinear(Protocol):
    """A layer of the base, whatever form its weight is kept in: `dense` gives it, (out, in), in any precision."""

    in_features: int
    out_features: int
    bias: Tensor | None

    def dense(self, dtype: torch.dtype) -> Tensor: ...

    def __call__(self, x: Tensor) -> Tensor: ...
