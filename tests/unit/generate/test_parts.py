"""Attention in parts against attention at once."""

from __future__ import annotations

import pytest
import torch

from burnish.generate import parts
from burnish.generate.parts import attend_part, attend_shared, hidden_where, merge_parts
from burnish.model.attention_rule import AttentionRule


def tensors(queries: int, keys: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values for 2 sequences and 3 heads of width 8."""
    torch.manual_seed(0)
    shapes = ((2, 3, length, 8) for length in (queries, keys, keys))
    query, key, value = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    return query, key, value


@pytest.mark.parametrize("softcap", [None, 1.5])
def test_a_part_is_softmax_attention_and_its_log_sum_exp(softcap: float | None) -> None:
    query, key, value = tensors(4, 6)
    scores = query @ key.transpose(-1, -2) * 0.7
    scores = scores if softcap is None else softcap * torch.tanh(scores / softcap)
    allowed = torch.rand(2, 1, 4, 6) > 0.3
    allowed[..., 0] = True
    scores = scores.masked_fill(~allowed, float("-inf"))
    output, total = attend_part(
        query, key, value, AttentionRule(0.7, softcap=softcap), mask=hidden_where(~allowed, query.dtype)
    )
    torch.testing.assert_close(output, scores.softmax(-1) @ value, atol=1e-12, rtol=0)
    torch.testing.assert_close(total, scores.logsumexp(-1), atol=1e-12, rtol=0)


@pytest.mark.parametrize("softcap", [None, 1.5])
def test_causal_is_short_for_a_triangle(softcap: float | None) -> None:
    query, key, value = tensors(5, 5)
    rule, triangle = AttentionRule(0.7, softcap=softcap), torch.ones(5, 5, dtype=torch.bool).tril()[None, None]
    for one, other in zip(
        attend_part(query, key, value, rule, causal=True),
        attend_part(query, key, value, rule, mask=hidden_where(~triangle, query.dtype)),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=0)


@pytest.mark.parametrize("softcap", [None, 1.5])
def test_who_sees_nothing_in_a_part_takes_nothing_from_it(softcap: float | None) -> None:
    query, key, value = tensors(4, 6)
    rule = AttentionRule(0.7, softcap=softcap)
    allowed = torch.ones(1, 1, 4, 6, dtype=torch.bool)
    allowed[:, :, 1] = False
    output, total = attend_part(query, key, value, rule, mask=hidden_where(~allowed, query.dtype))
    assert output[:, :, 1].abs().max() == 0
    assert (total[:, :, 1] == float("-inf")).all()
    first, first_total = attend_part(query, key, value, rule)
    merged, merged_total = merge_parts(first[0], first_total[0], output[0], total[0])
    torch.testing.assert_close(merged[:, 1], first[0, :, 1])
    torch.testing.assert_close(merged_total[:, 1], first_total[0, :, 1])


def test_two_parts_merge_to_attention_over_both() -> None:
    query, key, value = tensors(4, 9)
    rule = AttentionRule(0.7)
    first, second = (attend_part(query, key[:, :, part], value[:, :, part], rule) for part in (slice(3), slice(3, 9)))
    whole, whole_total = attend_part(query, key, value, rule)
    merged, total = merge_parts(first[0][0], first[1][0], second[0][0], second[1][0])
    torch.testing.assert_close(merged, whole[0], atol=1e-12, rtol=0)
    torch.testing.assert_close(total, whole_total[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("softcap", [None, 1.5])
@pytest.mark.parametrize("windowed", [False, True])
def test_a_run_under_many_queries_is_softmax_attention_whatever_the_blocks(
    softcap: float | None, windowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    query_T_H_d = torch.randn(10, 6, 8, dtype=torch.float64)  # six heads over two of keys
    key, value = (torch.randn(2, 7, 8, dtype=torch.float64) for _ in range(2))
    allowed = torch.rand(10, 7) > 0.3 if windowed else torch.ones(10, 7, dtype=torch.bool)
    allowed[:, 0] = True
    scores = torch.einsum("thd,hud->thu", query_T_H_d, key.repeat_interleave(3, 0)) * 0.7
    scores = scores if softcap is None else softcap * torch.tanh(scores / softcap)
    scores = scores.masked_fill(~allowed[:, None], float("-inf"))
    wanted = torch.einsum("thu,hud->thd", scores.softmax(-1), value.repeat_interleave(3, 0))
    for at_once in (1 << 19, 3 * 6 * 7):  # all queries in one block, then three in each
        monkeypatch.setattr(parts, "SCORES_AT_ONCE", at_once)
        rule = AttentionRule(0.7, softcap=softcap)
        output, total = attend_shared(query_T_H_d, key, value, rule, allowed if windowed else None)
        torch.testing.assert_close(output, wanted, atol=1e-12, rtol=0)
        torch.testing.assert_close(total, scores.logsumexp(-1), atol=1e-12, rtol=0)
