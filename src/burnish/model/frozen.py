"""x Wᵀ with a frozen W that is kept in fewer bits: made dense for each product, and let go after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Dense: TypeAlias = Callable[[torch.dtype], Tensor]  # precision → (out, in), new at each call


class _FrozenProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dense: Dense) -> Tensor:
        ctx.dense = dense
        return F.linear(x, dense(x.dtype))

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        (slope,) = slopes
        return slope @ ctx.dense(slope.dtype), None


def frozen_product(x: Tensor, dense: Dense, bias: Tensor | None) -> Tensor:
    """x Wᵀ + bias, with the gradient in x. W is made in both directions, so that it is never kept between them."""
    product: Tensor = _FrozenProduct.apply(x, dense)  # type: ignore[no-untyped-call]
    return product if bias is None else product + bias.to(x.dtype)
