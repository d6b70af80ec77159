"""Every attention over a forest equals the definition, in its outputs and in all three gradients."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor

from burnish.model.attention import Attend, forest_attention, reference_attention, segment_attention
from burnish.model.attention_rule import AttentionRule
from burnish.model.flex_attention import flex_attention
from burnish.model.forest import Forest, Segment, plant

HEADS, KEYS, WIDTH = 6, 2, 8
RULES = [
    AttentionRule(WIDTH**-0.5),
    AttentionRule(0.2, window=5),
    AttentionRule(0.3, softcap=2.0),
    AttentionRule(0.2, window=9, softcap=1.0),
]


def forest_of(*parts: tuple[int, int]) -> Forest:
    """(length, parent) of each segment."""
    return plant([Segment([1] * length, [0.0] * length, parent=parent) for length, parent in parts])


FORESTS = {
    "one row": forest_of((7, -1)),
    "rows of all lengths": forest_of((3, -1), (40, -1), (1, -1), (35, -1), (33, -1), (64, -1)),
    "one prompt, two answers": forest_of((9, -1), (4, 0), (6, 0)),
    "prompts in prompts": forest_of((5, -1), (3, 0), (2, 1), (4, 1), (7, 0), (6, -1), (2, 5), (40, 5), (50, 1)),
    "a long row among short ones": forest_of((8, -1), (400, -1), (5, -1)),
    "short answers under a long prompt": forest_of((390, -1), (5, 0), (6, 0), (70, 0)),
    "a long answer under a short prompt": forest_of((20, -1), (390, 0), (6, 0)),
}


def numbers(forest: Forest) -> list[Tensor]:
    """Queries, keys and values in float64, the same each time."""
    generator = torch.Generator().manual_seed(0)
    sizes = [(forest.tokens, heads, WIDTH) for heads in (HEADS, KEYS, KEYS)]
    return [torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes]


def outcome(attend: Attend, forest: Forest, rule: AttentionRule) -> list[Tensor]:
    """Output and the gradients in queries, keys and values."""
    inputs = [tensor.requires_grad_() for tensor in numbers(forest)]
    output = attend(0, *inputs, rule)
    slope = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).view_as(output)
    return [output.detach(), *torch.autograd.grad(output, inputs, slope)]


@pytest.mark.parametrize("rule", RULES, ids=["plain", "window", "soft cap", "both"])
@pytest.mark.parametrize("name", FORESTS)
@pytest.mark.parametrize("attention", [forest_attention, segment_attention])
def test_attention_equals_its_definition_to_1e9(attention: object, name: str, rule: AttentionRule) -> None:
    assert callable(attention)
    forest = FORESTS[name]
    for ours, exact in zip(
        outcome(attention(forest), forest, rule), outcome(reference_attention(forest), forest, rule), strict=True
    ):
        torch.testing.assert_close(ours, exact, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rule", RULES, ids=["plain", "window", "soft cap", "both"])
@pytest.mark.parametrize("name", ["rows of all lengths", "prompts in prompts"])
def test_the_kernel_of_cuda_equals_the_definition_where_it_runs_uncompiled(name: str, rule: AttentionRule) -> None:
    forest = FORESTS[name]
    ours = flex_attention(forest, compiled=False)(0, *numbers(forest), rule)
    exact = reference_attention(forest)(0, *numbers(forest), rule)
    torch.testing.assert_close(ours, exact, rtol=0, atol=1e-9)


def random_forest(seed: int) -> Forest:
    chance = random.Random(seed)
    parts: list[tuple[int, int]] = []
    for index in range(chance.randint(1, 12)):
        parts.append((chance.choice([1, 2, 5, 31, 32, 33, 60]), chance.randint(-1, index - 1)))
    return forest_of(*parts)


@pytest.mark.parametrize("seed", range(12))
def test_attention_equals_its_definition_on_random_forests(seed: int) -> None:
    forest = random_forest(seed)
    for ours, exact in zip(
        outcome(forest_attention(forest), forest, RULES[0]),
        outcome(reference_attention(forest), forest, RULES[0]),
        strict=True,
    ):
        torch.testing.assert_close(ours, exact, rtol=0, atol=1e-9)


def test_a_segment_that_is_read_in_both_directions_is() -> None:
    """Encoders and prefix models: `causal_S` False."""
    forest = FORESTS["one prompt, two answers"]
    both_ways = Forest(**{**vars(forest), "causal_S": torch.tensor([False, True, False])})
    ours, exact = (outcome(make(both_ways), both_ways, RULES[0]) for make in (forest_attention, reference_attention))
    for one, other in zip(ours, exact, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("attention", [forest_attention, segment_attention])
def test_a_token_changes_nothing_in_other_rows_to_the_last_bit(attention: object) -> None:
    assert callable(attention)
    forest = FORESTS["rows of all lengths"]
    attend = attention(forest)
    before = attend(0, *numbers(forest), RULES[0])
    changed = numbers(forest)
    for tensor in changed:
        tensor[5] += 1.0  # a token of the second row, tokens 3 to 42
    after = attend(0, *changed, RULES[0])
    others = torch.cat([torch.arange(3), torch.arange(43, forest.tokens)])
    assert torch.equal(before[others], after[others])
    assert not torch.equal(before[5:43], after[5:43])


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("name", FORESTS)
def test_the_compiled_kernel_equals_the_definition_on_cuda(name: str) -> None:
    forest = FORESTS[name].to(torch.device("cuda"))
    inputs = [tensor.float().cuda().requires_grad_() for tensor in numbers(forest)]
    for one, other in zip(
        (ours := forest_attention(forest)(0, *inputs, RULES[0])),
        (exact := reference_attention(forest)(0, *inputs, RULES[0])),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-3)  # TF32 products
    for one, other in zip(*(torch.autograd.grad(made.sum(), inputs) for made in (ours, exact)), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=5e-3)
