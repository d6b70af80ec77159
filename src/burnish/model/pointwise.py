"""The small functions between the matrix products, each beside its gradient.

Written out by hand they keep less for the backward pass than autograd would: inputs, never float32 copies. Sums are
taken in at least float32, answers given in the precision of the question. With a C++ compiler (or on a GPU) each is one
loop over memory; without one the same functions run as they stand.

Names: T tokens, D width, M width of the MLP, H heads, d width of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def wide(x: Tensor) -> Tensor:
    """bf16 has 8 bits: too few for sums and squares."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def norm(x: Tensor, weight_D: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """x / rms(x) · weight (arXiv 1910.07467) and 1 / rms(x), over the last axis."""
    x_wide = wide(x)
    inverse = torch.rsqrt(x_wide.pow(2).mean(-1, keepdim=True) + epsilon)
    return (x_wide * inverse * weight_D).to(x.dtype), inverse


def norm_slope(slope: Tensor, x: Tensor, weight_D: Tensor, inverse: Tensor) -> Tensor:
    """With n = x / rms(x) and g = slope · weight: (g - n · mean(g · n)) / rms(x)."""
    normed, weighed = wide(x) * inverse, wide(slope) * weight_D
    return (inverse * (weighed - normed * (weighed * normed).mean(-1, keepdim=True))).to(x.dtype)


def gated_silu(gate: Tensor, up: Tensor) -> Tensor:
    """gate · σ(gate) · up (arXiv 2002.05202)."""
    return F.silu(gate) * up


def gated_silu_slopes(slope: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients in gate and up."""
    return torch.ops.aten.silu_backward(slope * up, gate), slope * F.silu(gate)


def gated_gelu(gate: Tensor, up: Tensor) -> Tensor:
    """gelu(gate) · up, with the tanh form of gelu (arXiv 1606.08415)."""
    return F.gelu(gate, approximate="tanh") * up


def gated_gelu_slopes(slope: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients in gate and up."""
    into_gate = torch.ops.aten.gelu_backward(slope * up, gate, approximate="tanh")
    return into_gate, slope * F.gelu(gate, approximate="tanh")


def rotate(x_T_H_d: Tensor, cosine_T_d: Tensor, sine_T_d: Tensor) -> Tensor:
    """Turns each pair (i, i + d/2) by its angle. Its gradient turns back: the same with -sine."""
    half = x_T_H_d.shape[-1] // 2
    signed_T_d = torch.cat([-sine_T_d[:, :half], sine_T_d[:, half:]], dim=-1)
    return (x_T_H_d * cosine_T_d[:, None]).add_(x_T_H_d.roll(half, -1).mul_(signed_T_d[:, None]))


@dataclass(frozen=True)
class Pointwise:
    """One way of computing these functions: as they stand, or compiled."""

    norm: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]] = norm
    norm_slope: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] = norm_slope
    gated_silu: Callable[[Tensor, Tensor], Tensor] = gated_silu
    gated_silu_slopes: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] = gated_silu_slopes
    gated_gelu: Callable[[Tensor, Tensor], Tensor] = gated_gelu
    gated_gelu_slopes: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] = gated_gelu_slopes
    rotate: Callable[[Tensor, Tensor, Tensor], Tensor] = rotate


PLAIN = Pointwise()


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_D: Tensor, epsilon: float, pointwise: Pointwise) -> Tensor:
        normed, inverse = pointwise.norm(x, weight_D, epsilon)
        ctx.save_for_backward(x, weight_D, inverse)
        ctx.pointwise = pointwise
        return normed

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        x, weight_D, inverse = ctx.saved_tensors
        (slope,) = slopes
        into_x = ctx.pointwise.norm_slope(slope, x, weight_D, inverse) if ctx.needs_input_grad[0] else None
        into_weight = None
        if ctx.needs_input_grad[1]:
            into_weight = (wide(slope) * wide(x) * inverse).flatten(0, -2).sum(0).to(weight_D.dtype)
        return into_x, into_weight, None, None


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor, make: Callable[..., Tensor], slopes: Callable[..., Any]) -> Tensor:
        ctx.save_for_backward(gate, up)
        ctx.make, ctx.slopes = make, slopes
        return make(gate, up)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        return *ctx.slopes(slopes[0], *ctx.saved_tensors), None, None


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_T_H_d: Tensor, cosine_T_d: Tensor, sine_T_d: Tensor, pointwise: Pointwise) -> Tensor:
        ctx.save_for_backward(cosine_T_d, sine_T_d)
        ctx.pointwise = pointwise
        return pointwise.rotate(x_T_H_d, cosine_T_d, sine_T_d)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        cosine_T_d, sine_T_d = ctx.saved_tensors
        return ctx.pointwise.rotate(slopes[0], cosine_T_d, -sine_T_d), None, None, None


def normed(x: Tensor, weight_D: Tensor, epsilon: float, pointwise: Pointwise) -> Tensor:
    """`norm` with its gradient, where one is asked for."""
    if not torch.is_grad_enabled():
        return pointwise.norm(x, weight_D, epsilon)[0]
    result: Tensor = _Norm.apply(x, weight_D, epsilon, pointwise)  # type: ignore[no-untyped-call]
    return result


def gated(gate_T_M: Tensor, up_T_M: Tensor, activation: str, pointwise: Pointwise) -> Tensor:
    """`gated_silu` or `gated_gelu` with its gradient, likewise."""
    make, slopes = (
        (pointwise.gated_silu, pointwise.gated_silu_slopes)
        if activation == "silu"
        else (pointwise.gated_gelu, pointwise.gated_gelu_slopes)
    )
    if not torch.is_grad_enabled():
        return make(gate_T_M, up_T_M)
    result: Tensor = _Gated.apply(gate_T_M, up_T_M, make, slopes)  # type: ignore[no-untyped-call]
    return result


def gated_again(made_T_M: Tensor) -> Callable[[], Tensor]:
    """How `made_T_M`, which `gated` made, is made again from what is kept for its gradient."""
    node: Any = made_T_M.grad_fn
    return (lambda: node.make(*node.saved_tensors)) if node is not None else (lambda: made_T_M)


def rotated(x_T_H_d: Tensor, cosine_T_d: Tensor, sine_T_d: Tensor, pointwise: Pointwise) -> Tensor:
    """`rotate` with its gradient, likewise."""
    if not torch.is_grad_enabled():
        return pointwise.rotate(x_T_H_d, cosine_T_d, sine_T_d)
    result: Tensor = _Rotate.apply(x_T_H_d, cosine_T_d, sine_T_d, pointwise)  # type: ignore[no-untyped-call]
    return result
