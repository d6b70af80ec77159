"""Attention in parts: over a sequence's own tokens and over each shared run before them, put together exactly.

softmax over two sets of keys is the weighted mean of the softmax over each, with weights from the sums of exponentials
(as in FlashAttention, arXiv 2205.14135); so a shared run is read once for all sequences under it.

Names: B batch, H heads, t queries, u keys, d width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor

from burnish.model.attention_rule import AttentionRule

# Up to so many queries and keys the fused kernel's start costs more than the scores that it need not store.
FEW_QUERIES, FEW_KEYS = 8, 128
SEVERAL = 4  # sequences with few queries each: in 16 bits plain products over all of them take half the kernel's time
SCORES_AT_ONCE = 1 << 19  # of many queries over one run: in float32 they fit in a core's own cache


def attend_part(
    query_B_H_t_d: Tensor,
    key_B_H_u_d: Tensor,
    value_B_H_u_d: Tensor,
    rule: AttentionRule,
    *,
    mask: Tensor | None = None,
    causal: bool = False,
) -> tuple[Tensor, Tensor]:
    """What the queries read among these keys (B, H, t, d), and the log-sum-exp of their scores (B, H, t).

    `mask` (0 or -inf in at least float32, broadcast to B, H, t, u) says who sees whom; `causal` is short for a
    triangle. A query that sees nothing gets zeros and -inf. The window of `rule` is the caller's business.
    """
    narrow = query_B_H_t_d.dtype.itemsize == 2 and query_B_H_t_d.shape[0] >= SEVERAL
    few = query_B_H_t_d.shape[2] <= FEW_QUERIES and (narrow or key_B_H_u_d.shape[2] <= FEW_KEYS)
    if rule.softcap is not None or query_B_H_t_d.device.type != "cpu" or few:
        return _attend_plainly(query_B_H_t_d, key_B_H_u_d, value_B_H_u_d, rule, mask, causal)
    # the fused kernel behind scaled_dot_product_attention, which keeps the log-sum-exp to itself
    narrow_mask = None if mask is None else mask.to(query_B_H_t_d.dtype)
    output, total = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query_B_H_t_d, key_B_H_u_d, value_B_H_u_d, 0.0, causal, attn_mask=narrow_mask, scale=rule.scale
    )
    if mask is not None:  # the kernel says 0 where nothing is seen
        total = total.masked_fill((mask < 0).all(dim=-1), float("-inf"))
    return output, total


def _attend_plainly(
    query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule, mask: Tensor | None, causal: bool
) -> tuple[Tensor, Tensor]:
    """The same by the definition, for soft caps, for few keys and for devices without that kernel. As there, the
    products are taken in the precision of the keys and all else in at least float32.
    """
    wide = torch.promote_types(query.dtype, torch.float32)
    scores = query @ key.transpose(-1, -2)
    if rule.softcap is not None:
        scores = scores.to(wide).mul_(rule.scale / rule.softcap).tanh_().mul_(rule.softcap)
        scores = scores if mask is None else scores.add_(mask)
    else:
        scores = scores.to(wide).mul_(rule.scale) if mask is None else torch.add(mask, scores, alpha=rule.scale)
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores.masked_fill_(later, float("-inf"))
    highest = scores.amax(dim=-1)
    weights = torch.softmax(scores, dim=-1, out=scores)  # in place: memory is what this waits for
    total = highest - weights.amax(dim=-1).log()  # the largest weight is exp(highest - total)
    if mask is not None:  # 0 / 0 where nothing is seen
        empty = highest.isneginf()
        weights.masked_fill_(empty[..., None], 0.0)
        total.masked_fill_(empty, float("-inf"))
    return weights.to(value.dtype) @ value, total


def hidden_where(hidden: Tensor, dtype: torch.dtype) -> Tensor:
    """0, and -inf where `hidden`, in the precision in which scores of that dtype are added up."""
    wide = torch.promote_types(dtype, torch.float32)
    return torch.zeros(hidden.shape, dtype=wide, device=hidden.device).masked_fill_(hidden, float("-inf"))


def attend_shared(
    query_T_H_d: Tensor, key_K_u_d: Tensor, value_K_u_d: Tensor, rule: AttentionRule, allowed_T_U: Tensor | None
) -> tuple[Tensor, Tensor]:
    """What many queries read in one run of keys, (T, H, d), and the log-sum-exp of their scores, (T, H).

    Plain products over blocks of queries: half the time of the fused kernel, which reads the keys once a head and not
    once a group of heads. No triangle: the run lies before all queries.
    """
    heads, keys = query_T_H_d.shape[1], key_K_u_d.shape[1]
    block = max(1, SCORES_AT_ONCE // (heads * keys))
    parts = []
    for start in range(0, len(query_T_H_d), block):
        rows = slice(start, start + block)
        allowed = None if allowed_T_U is None else allowed_T_U[rows]
        parts.append(_attend_block(query_T_H_d[rows], key_K_u_d, value_K_u_d, rule, allowed))
    outputs, totals = zip(*parts, strict=True)
    return (outputs[0], totals[0]) if len(parts) == 1 else (torch.cat(outputs), torch.cat(totals))


def _attend_block(
    query_B_H_d: Tensor, key_K_u_d: Tensor, value_K_u_d: Tensor, rule: AttentionRule, allowed_B_U: Tensor | None
) -> tuple[Tensor, Tensor]:
    rows, heads, width = query_B_H_d.shape
    narrow, groups = len(key_K_u_d), heads // len(key_K_u_d)
    query = query_B_H_d.view(rows, narrow, groups, width).transpose(0, 1).reshape(1, narrow, rows * groups, width)
    mask = None if allowed_B_U is None else hidden_where(~allowed_B_U.repeat_interleave(groups, dim=0), query.dtype)
    output, total = _attend_plainly(query, key_K_u_d[None], value_K_u_d[None], rule, mask, causal=False)
    output = output.view(narrow, rows, groups, width).transpose(0, 1).reshape(query_B_H_d.shape)
    return output, total.view(narrow, rows, groups).transpose(0, 1).reshape(rows, heads)


def merge_parts(
    output_T_H_d: Tensor, total_T_H: Tensor, more_T_H_d: Tensor, more_total_T_H: Tensor
) -> tuple[Tensor, Tensor]:
    """Attention over two sets of keys from attention over each. The first set must not be empty for any query."""
    share_T_H_1 = torch.sigmoid(more_total_T_H - total_T_H)[..., None]
    wide = share_T_H_1.dtype
    output = torch.lerp(output_T_H_d.to(wide), more_T_H_d.to(wide), share_T_H_1).to(output_T_H_d.dtype)
    return output, torch.logaddexp(total_T_H, more_total_T_H)
