"""Attention of many short segments in a few batched products, with its gradient written out by hand.

On a CPU this beats fused kernels while segments are short: each score matrix stays in the cache. Segments of about one
length under the same ancestors form a batch; the keys they share are read once for all of them.

Names: T tokens, H heads, K key-value heads, G = H/K queries a key, d width of a head; in a batch: C segments of L
tokens under A tokens of their ancestors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from burnish.model.forest import Forest

LENGTH_STEP = 32  # segments whose lengths round up to the same multiple are padded and computed together


@dataclass(frozen=True)
class Batch:
    """Where the tokens of C segments stand in the forest: `own` (C * L), padded, and `above` (A) for all of them.

    A place after a segment's end repeats its last token: no token of the segment looks that far, and nothing reads it.
    """

    own: Tensor
    above: Tensor
    count: int
    length: int


def lay_out(forest: Forest, segments: Sequence[int]) -> tuple[list[Batch], dict[int, int]]:
    """Batches of segments by ancestors and length, and the place of each segment's first token in their output."""
    groups: dict[tuple[int, int], list[int]] = {}
    for segment in segments:
        groups.setdefault((forest.parents[segment], -(-forest.length_S[segment] // LENGTH_STEP)), []).append(segment)
    batches: list[Batch] = []
    place_of: dict[int, int] = {}
    laid = 0
    for group in groups.values():
        length = max(forest.length_S[segment] for segment in group)
        own = torch.stack([_tokens(forest, segment, padded=length) for segment in group]).flatten()
        above = [_tokens(forest, ancestor) for ancestor in forest.ancestors(group[0])]
        place_of |= {segment: laid + line * length for line, segment in enumerate(group)}
        laid += len(own)
        device = forest.tokens_T.device
        context = torch.cat(above) if above else torch.empty(0, dtype=torch.long)
        batches.append(Batch(own.to(device), context.to(device), len(group), length))
    return batches, place_of


def _tokens(forest: Forest, segment: int, padded: int | None = None) -> Tensor:
    start, length = forest.start_S[segment], forest.length_S[segment]
    return start + torch.arange(padded or length).clamp(max=length - 1)


def packed_attention(
    query_T_H_d: Tensor, key_T_K_d: Tensor, value_T_K_d: Tensor, batches: Sequence[Batch], scale: float
) -> Tensor:
    """Each token reads its ancestors' tokens and its own segment's up to itself.

    Returns the outputs (H * d) of all places of all batches, laid end to end; those of padding mean nothing.
    """
    output: Tensor = _Packed.apply(query_T_H_d, key_T_K_d, value_T_K_d, batches, scale)  # type: ignore[no-untyped-call]
    return output


class _Packed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, batches: Sequence[Batch], scale: float) -> Tensor:
        made = [_read(query, key, value, batch, scale) for batch in batches]
        ctx.save_for_backward(query, key, value, *(weights for _, weights in made))
        ctx.batches, ctx.scale = batches, scale
        return torch.cat([output for output, _ in made])

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        query, key, value, *weights = ctx.saved_tensors
        into = torch.zeros_like(query), torch.zeros_like(key), torch.zeros_like(value)
        sizes = [len(batch.own) for batch in ctx.batches]
        for batch, seen, slope in zip(ctx.batches, weights, gradients[0].split(sizes), strict=True):
            _add_gradients(into, (query, key, value), batch, ctx.scale, seen, slope)
        return *into, None, None


def _read(query: Tensor, key: Tensor, value: Tensor, batch: Batch, scale: float) -> tuple[Tensor, Tensor]:
    """Outputs (C * L, H * d) and weights (K * C, G * L, A + L) of one batch."""
    heads, above = key.shape[1], len(batch.above)
    queries, keys, values = (_own(tensor, batch, heads) for tensor in (query, key, value))
    scores = (queries @ keys.transpose(1, 2)).view(len(keys), -1, batch.length, batch.length)
    scores.masked_fill_(_later(batch.length, query.device), float("-inf"))
    scores = scores.view(len(keys), -1, batch.length)
    if above:
        seen = _over_all(queries, heads) @ _above(key, batch).transpose(1, 2)
        scores = torch.cat([seen.view(len(keys), -1, above), scores], dim=-1)
    weights = scores.mul_(scale).softmax(dim=-1)
    outputs = weights[..., above:] @ values
    if above:
        outputs += (_over_all(weights[..., :above], heads) @ _above(value, batch)).view_as(outputs)
    return _tokens_first(outputs, batch, heads).flatten(1), weights


def _later(length: int, device: torch.device) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool, device=device).triu(1)


def _add_gradients(
    into: tuple[Tensor, Tensor, Tensor],
    query_key_value: tuple[Tensor, Tensor, Tensor],
    batch: Batch,
    scale: float,
    weights: Tensor,
    slope: Tensor,
) -> None:
    """The gradient of `_read`, added to `into`: slope (C * L, H * d) is that of its outputs, zero at padding."""
    _, key, value = query_key_value
    heads, above = key.shape[1], len(batch.above)
    queries, keys, values = (_own(tensor, batch, heads) for tensor in query_key_value)
    slopes = _heads_first(slope.view(len(slope), -1, value.shape[2]), batch, heads)
    into_weights = slopes @ values.transpose(1, 2)
    if above:
        seen = _over_all(slopes, heads) @ _above(value, batch).transpose(1, 2)
        into_weights = torch.cat([seen.view(len(keys), -1, above), into_weights], dim=-1)
    into_scores = torch._softmax_backward_data(into_weights, weights, -1, weights.dtype).mul_(scale)
    own = into_scores[..., above:]
    into_queries = own @ keys
    if above:
        shared, read = _over_all(into_scores[..., :above], heads), _over_all(weights[..., :above], heads)
        into_queries += (shared @ _above(key, batch)).view_as(into_queries)
        _add(into[1], batch.above, (shared.transpose(1, 2) @ _over_all(queries, heads)).transpose(0, 1))
        _add(into[2], batch.above, (read.transpose(1, 2) @ _over_all(slopes, heads)).transpose(0, 1))
    _add(into[0], batch.own, _tokens_first(into_queries, batch, heads))
    _add(into[1], batch.own, _tokens_first(own.transpose(1, 2) @ queries, batch, heads))
    _add(into[2], batch.own, _tokens_first(weights[..., above:].transpose(1, 2) @ slopes, batch, heads))


def _add(into: Tensor, places: Tensor, more: Tensor) -> None:
    into.flatten(1).index_add_(0, places, more.flatten(1))


def _heads_first(places: Tensor, batch: Batch, keys: int) -> Tensor:
    """(C * L, H, d) → (K * C, G * L, d): queries that read one key stand under each other, so no key is repeated."""
    size = (batch.count, batch.length, keys, -1, places.shape[-1])
    return places.reshape(size).permute(2, 0, 3, 1, 4).reshape(keys * batch.count, -1, places.shape[-1])


def _tokens_first(heads: Tensor, batch: Batch, keys: int) -> Tensor:
    """The inverse of `_heads_first`."""
    size = (keys, batch.count, -1, batch.length, heads.shape[-1])
    return heads.view(size).permute(1, 3, 0, 2, 4).reshape(len(batch.own), -1, heads.shape[-1])


def _own(tensor: Tensor, batch: Batch, keys: int) -> Tensor:
    """The batch's part of queries, keys or values, heads first."""
    return _heads_first(_at(tensor, batch.own), batch, keys)


def _above(tensor: Tensor, batch: Batch) -> Tensor:
    """The ancestors' keys or values, (K, A, d)."""
    return _at(tensor, batch.above).transpose(0, 1)


def _over_all(heads: Tensor, keys: int) -> Tensor:
    """(K * C, G * L, …) → (K, C * G * L, …): what meets the ancestors' keys does so for all segments at once."""
    return heads.reshape(keys, -1, heads.shape[-1])


def _at(tensor: Tensor, places: Tensor) -> Tensor:
    """tensor[places]; rows as one run of numbers each are taken five times quicker than rows of matrices."""
    return tensor.flatten(1).index_select(0, places).view(len(places), *tensor.shape[1:])
