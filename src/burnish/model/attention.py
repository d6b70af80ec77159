"""Attention over a forest: a slow reference that follows the definition, and the one used on every backend.

Names: T tokens, H heads, K key-value heads, d width of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from burnish.model.forest import Forest


@dataclass(frozen=True)
class AttentionRule:
    """How one layer attends: score = query · key * scale, over at most `window` tokens back, capped softly."""

    scale: float
    window: int | None = None
    softcap: float | None = None


SHORT = 384  # tokens: from about 500 on, the fused kernel overtakes plain products on a CPU
LENGTH_STEP = 32  # rows of lengths that round up to the same multiple are padded and computed together

# (layer, query_T_H_d, key_T_K_d, value_T_K_d, rule) → T_(H*d). The decoder does not know what it attends to: training
# passes the forest, generation its cache.
Attend: TypeAlias = Callable[[int, Tensor, Tensor, Tensor, AttentionRule], Tensor]


def attend_naively(
    query_T_H_d: Tensor, key_U_K_d: Tensor, value_U_K_d: Tensor, allowed_T_U: Tensor, rule: AttentionRule
) -> Tensor:
    """softmax(QKᵀ · scale) V with a dense mask: the definition, in the tensors' own precision."""
    groups = query_T_H_d.shape[1] // key_U_K_d.shape[1]
    key_U_H_d = key_U_K_d.repeat_interleave(groups, dim=1)
    value_U_H_d = value_U_K_d.repeat_interleave(groups, dim=1)
    scores_H_T_U = torch.einsum("thd,uhd->htu", query_T_H_d, key_U_H_d) * rule.scale
    if rule.softcap is not None:
        scores_H_T_U = rule.softcap * torch.tanh(scores_H_T_U / rule.softcap)
    scores_H_T_U = scores_H_T_U.masked_fill(~allowed_T_U, float("-inf"))
    return torch.einsum("htu,uhd->thd", scores_H_T_U.softmax(dim=-1), value_U_H_d).flatten(1)


def visible(forest: Forest, window: int | None) -> Tensor:
    """The mask of the definition, (T, T): may token t read token u?"""
    seen_S_S = torch.eye(len(forest.parents), dtype=torch.bool)
    for segment in range(len(forest.parents)):
        seen_S_S[segment, forest.ancestors(segment)] = True
    seen_S_S = seen_S_S.to(forest.segment_T.device)
    seen_T_T = seen_S_S[forest.segment_T][:, forest.segment_T]
    back_T_T = forest.position_T[:, None] - forest.position_T[None, :]
    causal_T = forest.causal_S[forest.segment_T]
    own_T_T = forest.segment_T[:, None] == forest.segment_T[None, :]
    allowed = seen_T_T & ((back_T_T >= 0) | (own_T_T & ~causal_T[:, None]))
    return allowed if window is None else allowed & (back_T_T < window)


def reference_attention(forest: Forest) -> Attend:
    """One dense T × T mask for the whole forest: what every other attention is tested against."""

    def attend(layer: int, query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
        return attend_naively(query, key, value, visible(forest, rule.window), rule)

    return attend


def forest_attention(forest: Forest) -> Attend:
    """The attention of training and scoring: packed short rows in a few batched products, the rest by segment."""
    packed = all(parent < 0 for parent in forest.parents) and bool(forest.causal_S.all())
    on_cpu = forest.tokens_T.device.type == "cpu"
    return row_attention(forest) if packed and on_cpu and max(forest.length_S) <= SHORT else segment_attention(forest)


@dataclass(frozen=True)
class _Rows:
    """Rows of about one length, padded at the end. `at` is the token behind each of their count × length places.

    A place after a row's end repeats its last token: no token of the row looks that far, so nothing need be masked.
    """

    at: Tensor
    count: int
    length: int


def row_attention(forest: Forest) -> Attend:
    """Rows that share nothing, as plain batched products: while rows are short, quicker on a CPU than fused calls.

    The queries that read one key-value head stand under each other, so keys and values are never repeated.
    """
    batches, place_T = _rows_by_length(forest)

    def attend(layer: int, query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
        outputs = [_attend_rows(rows, query, key, value, rule) for rows in batches]
        return torch.cat(outputs).index_select(0, place_T)

    return attend


def _rows_by_length(forest: Forest) -> tuple[list[_Rows], Tensor]:
    """Rows in batches by length, and where each token of the forest stands in the batches' outputs laid end to end."""
    groups: dict[int, list[int]] = {}
    for segment, length in enumerate(forest.length_S):
        groups.setdefault(-(-length // LENGTH_STEP), []).append(segment)
    batches: list[_Rows] = []
    place_T = torch.empty(forest.tokens, dtype=torch.long)
    laid = 0
    for group in groups.values():
        longest = max(forest.length_S[segment] for segment in group)
        at = torch.empty(len(group), longest, dtype=torch.long)
        for line, segment in enumerate(group):
            start, length = forest.start_S[segment], forest.length_S[segment]
            at[line] = start + torch.arange(longest).clamp(max=length - 1)
            place_T[start : start + length] = laid + line * longest + torch.arange(length)
        laid += at.numel()
        batches.append(_Rows(at.flatten(), len(group), longest))
    return batches, place_T


def _attend_rows(rows: _Rows, query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
    """(count * length, H*d). Scores are laid out as (count * K, H/K * length, length)."""
    heads, shared, width = query.shape[1], key.shape[1], query.shape[2]
    groups, size = heads // shared, (rows.count, rows.length, shared)
    queries = query.index_select(0, rows.at).view(*size, groups, width).permute(0, 2, 3, 1, 4)
    keys = key.index_select(0, rows.at).view(*size, width).transpose(1, 2).flatten(0, 1)
    values = value.index_select(0, rows.at).view(*size, width).transpose(1, 2).flatten(0, 1)
    scores = (queries.reshape(len(keys), -1, width) * rule.scale) @ keys.transpose(1, 2)
    if rule.softcap is not None:
        scores = rule.softcap * torch.tanh(scores / rule.softcap)
    hidden = ~_mask(rows.length, rows.length, rule, True, query)
    scores = scores.view(-1, groups, rows.length, rows.length).masked_fill(hidden, float("-inf"))
    outputs = scores.softmax(dim=-1).view(len(keys), -1, rows.length) @ values
    return (
        outputs.view(rows.count, shared, groups, rows.length, width).permute(0, 3, 1, 2, 4).reshape(-1, heads * width)
    )


def segment_attention(forest: Forest) -> Attend:
    """One fused product per segment, against its own tokens and its ancestors'. No mask where none is needed."""
    lengths = list(forest.length_S)
    ancestors = [forest.ancestors(segment) for segment in range(len(lengths))]
    causal = forest.causal_S.tolist()

    def attend(layer: int, query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
        # One split, not a slice a segment: the gradient of a slice is a tensor of zeros as long as the forest.
        queries, keys, values = (torch.split(tensor, lengths) for tensor in (query, key, value))
        outputs = [
            attend_segment(
                queries[segment], _joined(keys, [*above, segment]), _joined(values, [*above, segment]), rule, is_causal
            )
            for segment, (above, is_causal) in enumerate(zip(ancestors, causal, strict=True))
        ]
        return torch.cat(outputs)

    return attend


def _joined(parts: Sequence[Tensor], chosen: Sequence[int]) -> Tensor:
    return parts[chosen[0]] if len(chosen) == 1 else torch.cat([parts[part] for part in chosen])


def attend_segment(
    query_T_H_d: Tensor, key_U_K_d: Tensor, value_U_K_d: Tensor, rule: AttentionRule, causal: bool = True
) -> Tensor:
    """The last T of U tokens read all U of them, each up to itself. Returns (T, H*d)."""
    tokens, seen = len(query_T_H_d), len(key_U_K_d)
    windowed = rule.window is not None and seen > rule.window
    if rule.softcap is not None:
        return attend_naively(query_T_H_d, key_U_K_d, value_U_K_d, _mask(tokens, seen, rule, causal, query_T_H_d), rule)
    plain = causal and tokens == seen and not windowed
    needs_mask = not plain and (tokens > 1 or windowed) and (causal or windowed)
    mask = _mask(tokens, seen, rule, causal, query_T_H_d) if needs_mask else None
    groups = query_T_H_d.shape[1] // key_U_K_d.shape[1]
    output_H_T_d = F.scaled_dot_product_attention(
        query_T_H_d.transpose(0, 1)[None],
        key_U_K_d.transpose(0, 1).repeat_interleave(groups, dim=0)[None],
        value_U_K_d.transpose(0, 1).repeat_interleave(groups, dim=0)[None],
        attn_mask=mask,
        is_causal=plain and tokens > 1,
        scale=rule.scale,
    )[0]
    return output_H_T_d.transpose(0, 1).flatten(1)


def _mask(tokens: int, seen: int, rule: AttentionRule, causal: bool, like: Tensor) -> Tensor:
    """(T, U) of booleans for the last `tokens` of `seen` tokens in a row."""
    back = torch.arange(seen - tokens, seen, device=like.device)[:, None] - torch.arange(seen, device=like.device)
    allowed = back >= 0 if causal else torch.ones_like(back, dtype=torch.bool)
    return allowed if rule.window is None else allowed & (back < rule.window)
