"""Penalties on the weights, against the change of the matrix itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from burnish.guards.distance import LowRank, UpdatePenalty, WeightPenalty, keep_start


def draws(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


A, B = draws(3, 7, seed=1), draws(5, 3, seed=2)
U, W = draws(5, seed=3).square(), draws(7, seed=4).square()
START = (draws(5, 3, seed=5), draws(3, 7, seed=6))


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("start", [None, START])
def test_the_products_of_r_columns_give_the_change_of_the_whole_matrix(
    counted: bool, start: tuple[Tensor, Tensor] | None
) -> None:
    found = []
    for whole in (False, True):
        a, b = A.clone().requires_grad_(), B.clone().requires_grad_()
        if whole:
            change = 0.5 * (b @ a - (start[0] @ start[1] if start else 0))
            value = 0.5 * (change.square() * (U[:, None] * W if counted else 1)).sum()
        else:
            value = LowRank(a, b, 0.5, U if counted else None, W if counted else None, start).half_square()
        value.backward()
        found.append((value.detach(), a.grad, b.grad))
    for one, other in zip(*found, strict=True):
        assert one is not None
        assert torch.allclose(one, other)


def test_an_adapter_that_adds_nothing_costs_nothing_and_is_not_pulled() -> None:
    a, b = A.clone().requires_grad_(), torch.zeros(5, 3, dtype=torch.float64, requires_grad=True)
    (value,) = UpdatePenalty("l2", 1.0, [LowRank(a, b, 2.0)]).parts()
    value.backward()
    assert value == 0
    assert a.grad is not None
    assert b.grad is not None
    assert not a.grad.any()
    assert not b.grad.any()


def test_an_update_by_hand() -> None:
    """B A = (1, 2) · 3 with scale 2: ΔW = (6, 12), half of 36 + 144 is 90."""
    update = LowRank(torch.tensor([[3.0]]), torch.tensor([[1.0], [2.0]]), 2.0)
    assert [float(part) for part in UpdatePenalty("l2", 1.0, [update, update]).parts()] == [180.0]


def test_weights_by_hand() -> None:
    """½ (1² · 10 + 2² · 100) = 205; the gradient is F (w - w₀) = 10 and 200."""
    weight = nn.Parameter(torch.tensor([1.0, 1.0]))
    start = keep_start({"w": weight})
    weight.data += torch.tensor([1.0, 2.0])
    (value,) = WeightPenalty("ewc", 1.0, {"w": weight}, start, {"w": torch.tensor([10.0, 100.0])}).parts()
    value.backward()
    assert value == 205
    assert weight.grad is not None
    assert weight.grad.tolist() == [10.0, 200.0]
    (plain,) = WeightPenalty("l2", 1.0, {"w": weight}, start).parts()
    assert plain == 2.5


def test_the_start_is_kept_in_half_the_memory_where_that_is_exact() -> None:
    kept = keep_start({"wide": nn.Parameter(torch.tensor([0.1])), "narrow": nn.Parameter(torch.tensor([0.5, 3.0]))})
    assert kept["wide"].dtype == torch.float32
    assert kept["narrow"].dtype == torch.bfloat16
    assert kept["wide"].item() == torch.tensor(0.1).item()
