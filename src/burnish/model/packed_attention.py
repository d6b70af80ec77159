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
from burnish.model.shapes import filled

# Scores (a query times a key, all heads) that padding may waste to spare a batch of its own: what its calls cost.
SPARED = 32_000


@dataclass(frozen=True)
class Batch:
    """Where the tokens of C segments stand in the forest: `own` (C * L), padded, and `above` (A) for all of them.

    A place after a segment's end repeats its last token: no token of the segment looks that far, and nothing reads it.
    `padding` lists those places.
    """

    own: Tensor
    above: Tensor
    padding: Tensor
    count: int
    length: int


@dataclass(frozen=True)
class Layout:
    """Segments of a forest in batches, and where each of its tokens stands when these are laid end to end.

    A token that is in no batch stands at `size`, one place after the last.
    """

    batches: tuple[Batch, ...]
    place_T: Tensor

    @property
    def size(self) -> int:
        return sum(len(batch.own) for batch in self.batches)


def lay_out(forest: Forest, segments: Sequence[int]) -> Layout:
    """Batches of segments under the same ancestors, of about one length."""
    families: dict[int, list[int]] = {}
    for segment in sorted(segments, key=lambda segment: -forest.length_S[segment]):
        families.setdefault(forest.parents[segment], []).append(segment)
    groups = [group for family in families.values() for group in _grouped(forest, family)]
    batches: list[Batch] = []
    place_T = torch.full((len(forest.tokens_T),), -1)
    laid = 0
    for group in groups:
        batch = _batch(forest, group)
        for line, segment in enumerate(group):
            place = laid + line * batch.length
            place_T[_span(forest, segment)] = torch.arange(place, place + forest.length_S[segment])
        laid += len(batch.own)
        batches.append(batch)
    place_T[place_T < 0] = laid
    return Layout(tuple(batches), place_T.to(forest.tokens_T.device))


def _grouped(forest: Forest, family: Sequence[int]) -> list[list[int]]:
    """Siblings, the longest first, in runs of so little padding that one batch is cheaper than two."""
    above = sum(forest.length_S[ancestor] for ancestor in forest.ancestors(family[0]))

    def scores(segment: int) -> int:
        return forest.length_S[segment] * (above + forest.length_S[segment])

    groups: list[list[int]] = []
    for segment in family:
        if groups and scores(groups[-1][0]) - scores(segment) <= SPARED:
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return groups


def _batch(forest: Forest, group: Sequence[int]) -> Batch:
    """Segments of about one length under the same ancestors."""
    device = forest.tokens_T.device
    length_C = torch.tensor([forest.length_S[segment] for segment in group])
    start_C = torch.tensor([forest.start_S[segment] for segment in group])
    length = filled(int(length_C.max()))
    offset_L = torch.arange(length)
    own = start_C[:, None] + offset_L.minimum(length_C[:, None] - 1)
    padding = (offset_L >= length_C[:, None]).flatten().nonzero()[:, 0]
    spans = [_span(forest, ancestor) for ancestor in forest.ancestors(group[0])]
    above = torch.cat([torch.arange(span.start, span.stop) for span in spans]) if spans else torch.empty(0).long()
    return Batch(own.flatten().to(device), above.to(device), padding.to(device), len(group), length)


def _span(forest: Forest, segment: int) -> slice:
    return slice(forest.start_S[segment], forest.start_S[segment] + forest.length_S[segment])


def packed_attention(
    query_T_H_d: Tensor, key_T_K_d: Tensor, value_T_K_d: Tensor, layout: Layout, scale: float
) -> Tensor:
    """Each token reads its ancestors' tokens and its own segment's up to itself.

    Returns (T, H * d), with zeros for the tokens that are in no batch.
    """
    output: Tensor = _Packed.apply(query_T_H_d, key_T_K_d, value_T_K_d, layout, scale)  # type: ignore[no-untyped-call]
    return output


class _Packed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float) -> Tensor:
        query = query * scale
        made = [_read(query, key, value, batch) for batch in layout.batches]
        ctx.save_for_backward(query, key, value, *(weights for _, weights in made))
        ctx.layout, ctx.scale = layout, scale
        return _by_token([output for output, _ in made], layout)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        query, key, value, *weights = ctx.saved_tensors
        slope_T_H_d = gradients[0].view(len(gradients[0]), -1, value.shape[2])
        pieces: list[tuple[Tensor, Tensor, Tensor]] = []
        above: list[tuple[Tensor, Tensor, Tensor]] = []
        for batch, seen in zip(ctx.layout.batches, weights, strict=True):
            own, shared = _gradients((query, key, value), batch, seen, slope_T_H_d)
            pieces.append(own)
            above += shared
        into = [_by_token(part, ctx.layout).view(len(slope_T_H_d), -1, value.shape[2])
                for part in zip(*pieces, strict=True)]  # fmt: skip
        for places, into_keys, into_values in above:
            into[1].flatten(1).index_add_(0, places, into_keys)
            into[2].flatten(1).index_add_(0, places, into_values)
        return into[0].mul_(ctx.scale), into[1], into[2], None, None


def _by_token(parts: Sequence[Tensor], layout: Layout) -> Tensor:
    """What was computed batch by batch (C * L, n) → token by token (T, n)."""
    # One place more, for tokens that are in no batch.
    nothing = parts[0].new_zeros(1, parts[0].shape[1])
    return torch.cat([*parts, nothing]).index_select(0, layout.place_T)


def _read(query: Tensor, key: Tensor, value: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Outputs (C * L, H * d) and weights (K * C, G * L, A + L) of one batch."""
    heads, above = key.shape[1], len(batch.above)
    queries, keys, values = (_own(tensor, batch, heads) for tensor in (query, key, value))
    scores = (queries @ keys.transpose(1, 2)).view(len(keys), -1, batch.length, batch.length)
    scores.masked_fill_(_later(batch.length, query.device), float("-inf"))
    scores = scores.view(len(keys), -1, batch.length)
    if above:
        seen = _over_all(queries, heads) @ _above(key, batch).transpose(1, 2)
        scores = torch.cat([seen.view(len(keys), -1, above), scores], dim=-1)
    weights = scores.softmax(dim=-1)
    outputs = weights[..., above:] @ values
    if above:
        outputs += (_over_all(weights[..., :above], heads) @ _above(value, batch)).view_as(outputs)
    return _tokens_first(outputs, batch, heads), weights


def _later(length: int, device: torch.device) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool, device=device).triu(1)


def _gradients(
    query_key_value: tuple[Tensor, Tensor, Tensor], batch: Batch, weights: Tensor, slope_T_H_d: Tensor
) -> tuple[tuple[Tensor, Tensor, Tensor], list[tuple[Tensor, Tensor, Tensor]]]:
    """The gradient of `_read`: in the batch's own queries, keys and values (C * L, …); and of the keys and values that
    are shared, if there are such: (their places, in keys, in values)."""
    _, key, value = query_key_value
    heads, above = key.shape[1], len(batch.above)
    queries, keys, values = (_own(tensor, batch, heads) for tensor in query_key_value)
    slopes = _heads_first(_at(slope_T_H_d, batch.own).index_fill_(0, batch.padding, 0), batch, heads)
    into_weights = slopes @ values.transpose(1, 2)
    if above:
        seen = _over_all(slopes, heads) @ _above(value, batch).transpose(1, 2)
        into_weights = torch.cat([seen.view(len(keys), -1, above), into_weights], dim=-1)
    into_scores = torch._softmax_backward_data(into_weights, weights, -1, weights.dtype)
    own = into_scores[..., above:]
    into_queries = own @ keys
    shared: list[tuple[Tensor, Tensor, Tensor]] = []
    if above:
        met, read = _over_all(into_scores[..., :above], heads), _over_all(weights[..., :above], heads)
        into_queries += (met @ _above(key, batch)).view_as(into_queries)
        into_keys, into_values = (
            met.transpose(1, 2) @ _over_all(queries, heads),
            read.transpose(1, 2) @ _over_all(slopes, heads),
        )
        shared.append((batch.above, into_keys.transpose(0, 1).flatten(1), into_values.transpose(0, 1).flatten(1)))
    return (
        _tokens_first(into_queries, batch, heads),
        _tokens_first(own.transpose(1, 2) @ queries, batch, heads),
        _tokens_first(weights[..., above:].transpose(1, 2) @ slopes, batch, heads),
    ), shared


def _heads_first(places: Tensor, batch: Batch, keys: int) -> Tensor:
    """(C * L, H, d) → (K * C, G * L, d): queries that read one key stand under each other, so no key is repeated."""
    size = (batch.count, batch.length, keys, -1, places.shape[-1])
    return places.reshape(size).permute(2, 0, 3, 1, 4).reshape(keys * batch.count, -1, places.shape[-1])


def _tokens_first(heads: Tensor, batch: Batch, keys: int) -> Tensor:
    """The inverse of `_heads_first`, a line a token: (C * L, H * d)."""
    size = (keys, batch.count, -1, batch.length, heads.shape[-1])
    return heads.view(size).permute(1, 3, 0, 2, 4).reshape(len(batch.own), -1)


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
