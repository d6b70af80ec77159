"""PiSSA: LoRA that begins with a matrix's largest singular directions instead of with nothing (arXiv 2404.02948).

The paper trains B A beside the rest W - B₀ A₀. Here the base stays whole and the start is taken off beside it,
W x + s (B A - B₀ A₀) x, which is the same function: the network begins as the base, with the adapter off it is the base
to the last bit, and what is saved is a plain LoRA of rank 2 r on the original base.
"""

from __future__ import annotations

import torch
from torch import Tensor

from burnish.core.errors import RecipeError


def principal_factors(weight: Tensor, r: int, scale: float) -> tuple[Tensor, Tensor]:
    """A (r, in) and B (out, r) in float32 with scale · B A the best approximation of rank r of weight (out, in).

    The square root of each singular value goes to either side. The singular vectors are those of the smaller Gram
    matrix in float64, five times quicker than all of them. Raises RecipeError: r is larger than the matrix.
    """
    if r > min(weight.shape):
        raise RecipeError(
            "`adapt.r` is more than a matrix has directions.",
            where="adapt.start: pissa",
            seen=f"r {r}, a matrix of {weight.shape[0]} x {weight.shape[1]}",
            next_move=f"give at most {min(weight.shape)}, or a smaller rank for this matrix in `adapt.ranks`",
        )
    wide = weight.double()
    tall = wide if wide.shape[0] <= wide.shape[1] else wide.T
    squares, left = torch.linalg.eigh(tall @ tall.T)  # rising
    left = left[:, -r:].flip(1)
    root = squares[-r:].flip(0).clamp(min=torch.finfo(torch.float64).tiny).pow(0.25) / scale**0.5
    right = (left.T @ tall) / (root[:, None] * scale)  # singular value · right vector, shared out
    left = left * root
    a, b = (right, left) if tall is wide else (left.T, right.T)
    return a.float().contiguous(), b.float().contiguous()
