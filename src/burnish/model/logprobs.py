"""log p(target) for a list of positions, computed in chunks so that the full logits never exist.

Names: N targets, D width of the model, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from burnish.model.pointwise import PLAIN, Pointwise

CHUNK = 256  # targets at a time: 1024 × 49,152 logits in float32 are 200 MB


class _TargetLogprobs(torch.autograd.Function):
    """log softmax(h Wᵀ)[target].

    Its gradient in h is (W[target] - softmax(h Wᵀ) W) times the gradient above, target by target. With a frozen W the
    factor is computed in the forward pass, while the logits are at hand; with a trained W they are computed again.
    """

    @staticmethod
    def forward(ctx: Any, hidden_N_D: Tensor, weight_V_D: Tensor, target_N: Tensor, pointwise: Pointwise) -> Tensor:
        keep = hidden_N_D.requires_grad and not weight_V_D.requires_grad
        weight = weight_V_D.to(hidden_N_D.dtype)
        logprobs, factors = [], []
        for hidden, target in zip(torch.split(hidden_N_D, CHUNK), torch.split(target_N, CHUNK), strict=True):
            logits_n_V = hidden @ weight.T
            if not keep:
                logprobs.append(pointwise.choose_only(logits_n_V, target))
                continue
            chosen, share_n_V = pointwise.choose(logits_n_V, target)
            logprobs.append(chosen)
            factors.append(weight[target] - share_n_V @ weight)
        if keep:
            ctx.save_for_backward(torch.cat(factors))
        else:
            ctx.save_for_backward(hidden_N_D, weight_V_D, target_N)
        ctx.kept, ctx.pointwise = keep, pointwise
        return torch.cat(logprobs)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        gradient_N = gradients[0]
        if ctx.kept:
            (factor_N_D,) = ctx.saved_tensors
            return factor_N_D * gradient_N[:, None].to(factor_N_D.dtype), None, None, None
        hidden_N_D, weight_V_D, target_N = ctx.saved_tensors
        weight = weight_V_D.to(hidden_N_D.dtype)
        into_hidden, into_weight = torch.empty_like(hidden_N_D), torch.zeros_like(weight_V_D)
        for start in range(0, len(target_N), CHUNK):
            chunk = slice(start, start + CHUNK)
            _, share_n_V = ctx.pointwise.choose(hidden_N_D[chunk] @ weight.T, target_N[chunk])
            above_n = gradient_N[chunk].to(share_n_V.dtype)
            slope_n_V = share_n_V.mul_(-above_n[:, None])
            slope_n_V[torch.arange(len(above_n), device=above_n.device), target_N[chunk]] += above_n
            into_hidden[chunk] = slope_n_V @ weight
            into_weight += slope_n_V.T @ hidden_N_D[chunk]
        return into_hidden, into_weight, None, None


def target_logprobs(hidden_N_D: Tensor, weight_V_D: Tensor, target_N: Tensor, pointwise: Pointwise = PLAIN) -> Tensor:
    """(N,) log-probabilities in float32 (or float64 where the hidden states are)."""
    if not len(target_N):
        return hidden_N_D.sum() * hidden_N_D.new_zeros(0, dtype=torch.float32)
    result: Tensor = _TargetLogprobs.apply(hidden_N_D, weight_V_D, target_N, pointwise)  # type: ignore[no-untyped-call]
    return result
