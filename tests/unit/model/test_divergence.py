"""KL(base ‖ model) in chunks, against the definition with whole logits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from burnish.model.divergence import divergence

N, D, V = 300, 6, 11  # more than two chunks of 128


def draws(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(hidden: Tensor, weight: Tensor, base_hidden: Tensor, base_weight: Tensor) -> Tensor:
    base, model = ((h @ w.T).log_softmax(-1) for h, w in ((base_hidden, base_weight), (hidden, weight)))
    return (base.exp() * (base - model)).sum(-1)


@pytest.mark.parametrize("trained_head", [False, True])
def test_values_and_gradients_are_those_of_the_definition(trained_head: bool) -> None:
    base_hidden, base_weight, counts = draws(N, D, seed=1), draws(V, D, seed=2), draws(N, seed=3)
    found = []
    for function in (divergence, by_definition):
        hidden = draws(N, D, seed=4).requires_grad_()
        weight = draws(V, D, seed=5).requires_grad_(trained_head)
        values = function(hidden, weight, base_hidden, base_weight)
        (values * counts).sum().backward()
        found.append((values.detach(), hidden.grad, weight.grad))
    for one, other in zip(*found, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert torch.allclose(one, other, atol=1e-12)


def test_a_model_does_not_differ_from_itself() -> None:
    hidden, weight = draws(N, D, seed=1).bfloat16().requires_grad_(), draws(V, D, seed=2).bfloat16()
    values = divergence(hidden, weight, hidden.detach(), weight)
    assert not values.any()
    values.sum().backward()
    assert hidden.grad is not None
    assert not hidden.grad.any()


def test_two_tokens_by_hand() -> None:
    """p = (1/2, 1/2), q = (3/4, 1/4): ½ ln(2/3) + ½ ln 2 = ½ ln(4/3)."""
    ones = torch.ones(1, 1, dtype=torch.float64)
    model, base = torch.tensor([[3.0], [1.0]], dtype=torch.float64).log(), torch.zeros(2, 1, dtype=torch.float64)
    expected = 0.5 * torch.tensor(4 / 3, dtype=torch.float64).log()
    assert torch.allclose(divergence(ones, model, ones, base), expected)
