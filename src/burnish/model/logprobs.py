"""log p(target) for a list of positions, and whether the target is the likeliest token, computed in chunks so that the
full logits never exist.

Names: N targets, D width of the model, V vocabulary; n targets of one chunk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from burnish.model.pointwise import wide
from burnish.model.shapes import filled

ROOM = 1 << 22  # logits at a time of an output layer that is unpacked slice by slice: 16 MB in float32
SLICE = 1 << 12  # rows of it at a time: 5 MB in bf16 at a width of 576
CHUNK = 128  # targets at a time: their logits over 49,152 tokens are 25 MB in float32, which a large cache holds


class _TargetScores(torch.autograd.Function):
    """log softmax(h Wᵀ)[target], and whether no other token has a higher one.

    Its gradient in h is (W[target] - softmax(h Wᵀ) W) times the gradient above, target by target. With a frozen W the
    factor is computed in the forward pass, while the logits are at hand; with a trained W they are computed again.
    """

    @staticmethod
    def forward(ctx: Any, hidden_N_D: Tensor, weight_V_D: Tensor, target_N: Tensor) -> tuple[Tensor, Tensor]:
        keep = hidden_N_D.requires_grad and not weight_V_D.requires_grad
        weight = weight_V_D.to(hidden_N_D.dtype)
        logprob_N = wide(hidden_N_D.new_empty(len(target_N)))
        total_N, top_N = torch.empty_like(logprob_N), torch.empty_like(target_N, dtype=torch.bool)
        factor_N_D = torch.empty_like(hidden_N_D) if keep else None
        for chunk, logits_n_V, work_n_V in _logits(hidden_N_D, weight):
            if factor_N_D is None:
                logprob_N[chunk], top_N[chunk], total_N[chunk] = choose_only(logits_n_V, target_N[chunk], work_n_V)
                continue
            logprob_N[chunk], top_N[chunk], share_n_V = choose(logits_n_V, target_N[chunk], work_n_V)
            torch.sub(weight[target_N[chunk]], share_n_V @ weight, out=factor_N_D[chunk])
        if keep:
            ctx.save_for_backward(factor_N_D)
        else:
            ctx.save_for_backward(hidden_N_D, weight_V_D, target_N, total_N)
        ctx.kept = keep
        ctx.mark_non_differentiable(top_N)
        return logprob_N, top_N

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        gradient_N = gradients[0]
        if ctx.kept:
            (factor_N_D,) = ctx.saved_tensors
            return factor_N_D * gradient_N[:, None].to(factor_N_D.dtype), None, None
        hidden_N_D, weight_V_D, target_N, total_N = ctx.saved_tensors
        return *_slopes(hidden_N_D, weight_V_D, target_N, total_N, gradient_N), None


def _slopes(
    hidden_N_D: Tensor, weight_V_D: Tensor, target_N: Tensor, total_N: Tensor, gradient_N: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients in hidden states and weights, a block of the vocabulary at a time for all targets: each line of
    the weights' gradient is written once."""
    into_hidden, into_weight = torch.zeros_like(wide(hidden_N_D)), torch.empty_like(weight_V_D)
    gradient_N_1 = gradient_N[:, None].to(total_N.dtype)
    block = max(1, CHUNK * len(weight_V_D) // len(hidden_N_D))
    for start in range(0, len(weight_V_D), block):
        weight_v_D = weight_V_D[start : start + block].to(hidden_N_D.dtype)
        share_N_v = wide(hidden_N_D @ weight_v_D.T).sub_(total_N[:, None]).exp_().mul_(gradient_N_1)
        slope_N_v = share_N_v.neg_().to(hidden_N_D.dtype)
        (here,) = torch.where((target_N >= start) & (target_N < start + len(weight_v_D)))
        slope_N_v[here, target_N[here] - start] += gradient_N[here].to(slope_N_v.dtype)
        into_hidden += slope_N_v @ weight_v_D
        into_weight[start : start + block] = slope_N_v.T @ hidden_N_D
    return into_hidden.to(hidden_N_D.dtype), into_weight


def _logits(hidden_N_D: Tensor, weight_V_D: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Chunk by chunk: which targets, their logits (n, V), and room of that size in at least float32.

    Both are the same memory for every chunk, and one and the same where the logits are wide themselves.
    """
    room = hidden_N_D.new_empty(min(CHUNK, len(hidden_N_D)), len(weight_V_D))
    wide_room = wide(room)
    for start in range(0, len(hidden_N_D), CHUNK):
        hidden_n_D = hidden_N_D[start : start + CHUNK]
        count = len(hidden_n_D)
        yield slice(start, start + count), torch.mm(hidden_n_D, weight_V_D.T, out=room[:count]), wide_room[:count]


def choose(logits_n_V: Tensor, target_n: Tensor, work_n_V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log softmax(logits)[target] (n,), at least float32, whether that is the highest (n,), and softmax(logits) (n, V),
    which takes the logits' place.

    `work_n_V` is room in the wider type, the logits themselves where they are wide: tensors of this size are dear to
    allocate.
    """
    chosen_n, _, sum_n_1 = _exponentials(logits_n_V, target_n, work_n_V)
    return chosen_n - sum_n_1[:, 0].log(), chosen_n == 0, logits_n_V.copy_(work_n_V.div_(sum_n_1))


def choose_only(logits_n_V: Tensor, target_n: Tensor, work_n_V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The first two of `choose`, to the same last bit, and log Σ exp(logits) (n,)."""
    chosen_n, highest_n, sum_n_1 = _exponentials(logits_n_V, target_n, work_n_V)
    log_sum_n = sum_n_1[:, 0].log()
    return chosen_n - log_sum_n, chosen_n == 0, highest_n + log_sum_n


def _exponentials(logits_n_V: Tensor, target_n: Tensor, work_n_V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """logits[target] - highest (n,), highest (n,) and the sum of exp(logits - highest), which stays in `work_n_V`."""
    highest_n_1 = wide(logits_n_V.amax(-1, keepdim=True))
    chosen_n = wide(logits_n_V.gather(1, target_n[:, None])[:, 0]) - highest_n_1[:, 0]
    sum_n_1 = work_n_V.copy_(logits_n_V).sub_(highest_n_1).exp_().sum(-1, keepdim=True)
    return chosen_n, highest_n_1[:, 0], sum_n_1


class Table(Protocol):
    """An output layer that gives its rows on request; called with ids it gives theirs."""

    def rows(self, some: slice, dtype: torch.dtype) -> Tensor: ...

    def __call__(self, tokens_T: Tensor) -> Tensor: ...

    def __len__(self) -> int: ...


def slices(table: Table, hidden_N_D: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Where each slice begins, and its rows (v, D): at most SLICE of them, and ROOM logits."""
    size = min(SLICE, max(1, ROOM // max(1, len(hidden_N_D))))
    for start in range(0, len(table), size):
        yield start, table.rows(slice(start, start + size), hidden_N_D.dtype)


class _TableScores(torch.autograd.Function):
    """As `_TargetScores`, with a frozen table of which every slice is unpacked once: for all targets together, their
    sums of exponentials scaled anew whenever a higher logit comes (arXiv 1805.02867)."""

    @staticmethod
    def forward(ctx: Any, hidden_N_D: Tensor, table: Table, target_N: Tensor) -> tuple[Tensor, Tensor]:
        highest_N_1 = wide(hidden_N_D.new_full((len(hidden_N_D), 1), -math.inf))
        sum_N_1, chosen_N_1 = torch.zeros_like(highest_N_1), torch.zeros_like(highest_N_1)
        mean_N_D = torch.zeros_like(wide(hidden_N_D)) if hidden_N_D.requires_grad else None
        for start, rows_v_D in slices(table, hidden_N_D):
            work_N_v = wide(hidden_N_D @ rows_v_D.T)
            here = (target_N >= start) & (target_N < start + len(rows_v_D))
            chosen_N_1[here] = work_N_v[here].gather(1, target_N[here, None] - start)
            higher_N_1 = torch.maximum(highest_N_1, work_N_v.amax(-1, keepdim=True))
            shrink_N_1 = (highest_N_1 - higher_N_1).exp_()
            highest_N_1 = higher_N_1
            work_N_v.sub_(highest_N_1).exp_()
            sum_N_1.mul_(shrink_N_1).add_(work_N_v.sum(-1, keepdim=True))
            if mean_N_D is not None:
                mean_N_D.mul_(shrink_N_1).add_(work_N_v.to(hidden_N_D.dtype) @ rows_v_D)
        if mean_N_D is not None:
            ctx.save_for_backward((wide(table(target_N)) - mean_N_D.div_(sum_N_1)).to(hidden_N_D.dtype))
        top_N = (chosen_N_1 == highest_N_1)[:, 0]
        ctx.mark_non_differentiable(top_N)
        return (chosen_N_1 - highest_N_1 - sum_N_1.log())[:, 0], top_N

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (factor_N_D,) = ctx.saved_tensors
        return factor_N_D * gradients[0][:, None].to(factor_N_D.dtype), None, None


def target_logprobs(hidden_N_D: Tensor, head_V_D: Tensor | Table, target_N: Tensor) -> Tensor:
    """(N,) log-probabilities in float32 (or float64 where the hidden states are)."""
    return target_scores(hidden_N_D, head_V_D, target_N)[0]


def target_scores(hidden_N_D: Tensor, head_V_D: Tensor | Table, target_N: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) log-probabilities as above, and (N,) whether no other token is likelier."""
    if not len(target_N):
        return hidden_N_D.sum() * hidden_N_D.new_zeros(0, dtype=torch.float32), target_N.bool()
    more = filled(len(target_N)) - len(target_N)
    hidden, target = F.pad(hidden_N_D, (0, 0, 0, more)), F.pad(target_N, (0, more))
    way = _TargetScores if isinstance(head_V_D, Tensor) else _TableScores
    logprobs, top = way.apply(hidden, head_V_D, target)  # type: ignore[no-untyped-call]
    return logprobs[: len(target_N)], top[: len(target_N)]
