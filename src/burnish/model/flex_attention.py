"""Attention over a forest on CUDA: one compiled kernel that skips the blocks in which nobody sees anybody.

Slow but right without a compiler too, which is how it is tested on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from torch.nn.attention.flex_attention import flex_attention as attend_flexibly

from burnish.model.attention_rule import AttentionRule
from burnish.model.forest import Forest

Place = Tensor


@cache
def _kernel(compiled: bool) -> Any:
    return torch.compile(attend_flexibly, dynamic=True) if compiled else attend_flexibly


def flex_attention(forest: Forest, *, compiled: bool = True) -> Callable[..., Tensor]:
    """`Attend` of a forest. The mask of each window is worked out once and serves all layers that share it."""
    kernel = _kernel(compiled)
    masks: dict[int | None, BlockMask] = {}

    def attend(layer: int, query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
        if rule.window not in masks:
            masks[rule.window] = block_mask(forest, rule.window)
        output: Tensor = kernel(
            *(tensor.transpose(0, 1)[None] for tensor in (query, key, value)),
            score_mod=_capped(rule.softcap),
            block_mask=masks[rule.window],
            scale=rule.scale,
            enable_gqa=True,
        )
        return output[0].transpose(0, 1).flatten(1)

    return attend


def block_mask(forest: Forest, window: int | None) -> BlockMask:
    """Who sees whom, by blocks of 128: what `visible` says, without a T × T matrix on the device."""
    segments = len(forest.parents)
    sees_S_S = torch.eye(segments, dtype=torch.bool)
    for segment in range(segments):
        sees_S_S[segment, forest.ancestors(segment)] = True
    sees_S_S = sees_S_S.to(forest.tokens_T.device)

    def allowed(batch: Place, head: Place, at: Place, seen: Place) -> Tensor:
        own, other = forest.segment_T[at], forest.segment_T[seen]
        back = forest.position_T[at] - forest.position_T[seen]
        known = sees_S_S[own, other] & ((back >= 0) | ((own == other) & ~forest.causal_S[own]))
        return known if window is None else known & (back < window)

    return create_block_mask(allowed, None, None, forest.tokens, forest.tokens, device=forest.tokens_T.device)


def _capped(softcap: float | None) -> Callable[[Tensor, Place, Place, Place, Place], Tensor] | None:
    if softcap is None:
        return None
    return lambda score, batch, head, at, seen: softcap * torch.tanh(score / softcap)
