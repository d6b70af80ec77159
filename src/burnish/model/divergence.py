"""KL(base ‖ model) of the next token, exact over the vocabulary, in chunks, so that the full logits never exist.

Names: N targets, D width of the model, V vocabulary; n targets of one chunk.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from burnish.model.logprobs import CHUNK
from burnish.model.pointwise import wide


class _Divergence(torch.autograd.Function):
    """Σ_v p_v (log p_v - log q_v), p of the base and q of the model.

    Its gradient in the model's logits is q - p. With a frozen output layer the product of that with the layer is
    computed in the forward pass, while the logits are at hand; with one that trains they are computed again.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden_N_D: Tensor, weight_V_D: Tensor, base_hidden_N_D: Tensor, base_weight_V_D: Tensor
    ) -> Tensor:
        kl_N = wide(hidden_N_D.new_empty(len(hidden_N_D)))
        keep = hidden_N_D.requires_grad and not weight_V_D.requires_grad
        slope_N_D = torch.empty_like(hidden_N_D) if keep else None
        base_weight, weight = base_weight_V_D.to(base_hidden_N_D.dtype), weight_V_D.to(hidden_N_D.dtype)
        for start in range(0, len(hidden_N_D), CHUNK):
            n = slice(start, start + CHUNK)
            base_n_V = _logprobs(base_hidden_N_D[n], base_weight)
            model_n_V = _logprobs(hidden_N_D[n], weight)
            share_n_V = base_n_V.exp()
            kl_N[n] = (share_n_V * (base_n_V - model_n_V)).sum(-1)
            if slope_N_D is not None:
                apart_n_V = model_n_V.exp_().sub_(share_n_V).to(hidden_N_D.dtype)
                torch.mm(apart_n_V, weight, out=slope_N_D[n])
        if slope_N_D is not None:
            ctx.save_for_backward(slope_N_D)
        else:
            ctx.save_for_backward(hidden_N_D, weight_V_D, base_hidden_N_D, base_weight_V_D)
        ctx.kept = keep
        return kl_N

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        (slope_N,) = slopes
        if ctx.kept:
            (slope_N_D,) = ctx.saved_tensors
            return slope_N_D * slope_N[:, None].to(slope_N_D.dtype), None, None, None
        hidden_N_D, weight_V_D, base_hidden_N_D, base_weight_V_D = ctx.saved_tensors
        base_weight, weight = base_weight_V_D.to(base_hidden_N_D.dtype), weight_V_D.to(hidden_N_D.dtype)
        into_hidden, into_weight = torch.empty_like(hidden_N_D), torch.zeros_like(weight_V_D)
        for start in range(0, len(hidden_N_D), CHUNK):
            n = slice(start, start + CHUNK)
            apart_n_V = _logprobs(hidden_N_D[n], weight).exp_()
            apart_n_V = apart_n_V.sub_(_logprobs(base_hidden_N_D[n], base_weight).exp_()).mul_(slope_N[n, None])
            narrow_n_V = apart_n_V.to(hidden_N_D.dtype)
            into_hidden[n] = narrow_n_V @ weight
            into_weight += narrow_n_V.T @ hidden_N_D[n]
        return into_hidden, into_weight, None, None


def _logprobs(hidden_n_D: Tensor, weight_V_D: Tensor) -> Tensor:
    return wide(hidden_n_D @ weight_V_D.T).log_softmax(-1)


def divergence(hidden_N_D: Tensor, weight_V_D: Tensor, base_hidden_N_D: Tensor, base_weight_V_D: Tensor) -> Tensor:
    """(N,) in nats, float32 or float64 where the hidden states are. The base's two have no gradient."""
    result: Tensor = _Divergence.apply(  # type: ignore[no-untyped-call]
        hidden_N_D, weight_V_D, base_hidden_N_D, base_weight_V_D
    )
    return result
