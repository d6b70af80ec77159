from __future__ import annotations

import torch
from torch import nn

from burnish.train.optimiser import make_adamw, optimiser_tensors, restore_optimiser


def step(optimiser: torch.optim.AdamW, parameter: nn.Parameter, gradient: float) -> None:
    parameter.grad = torch.full_like(parameter, gradient)
    optimiser.param_groups[0]["lr"] = 0.1
    optimiser.step()


def test_the_first_step_is_the_rate_itself() -> None:
    # m = 0.1 g, v = 0.001 g²; both corrected for their start: g / √(g²) = 1, so the step is the rate whatever g is
    parameter = nn.Parameter(torch.tensor([1.0, 1.0]))
    step(make_adamw({"w": parameter}, weight_decay=0.0), parameter, 0.003)
    assert torch.allclose(parameter, torch.tensor([0.9, 0.9]), atol=1e-6)


def test_decay_pulls_towards_zero_apart_from_the_gradient() -> None:
    # w (1 - rate · decay) - rate = 1 · (1 - 0.1 · 0.5) - 0.1 = 0.85
    parameter = nn.Parameter(torch.tensor([1.0]))
    step(make_adamw({"w": parameter}, weight_decay=0.5), parameter, 7.0)
    assert torch.allclose(parameter, torch.tensor([0.85]), atol=1e-6)


def test_the_state_goes_out_and_in_again_to_the_last_bit() -> None:
    first, second = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([1.0, 2.0]))
    ours, other = make_adamw({"w": first}, 0.0), make_adamw({"w": second}, 0.0)
    for gradient in (0.5, -0.25, 3.0):
        step(ours, first, gradient)
    with torch.no_grad():
        second.copy_(first)
    restore_optimiser(other, {"w": second}, optimiser_tensors(ours, {"w": first}))
    step(ours, first, 0.125)
    step(other, second, 0.125)
    assert torch.equal(first, second)
    assert set(optimiser_tensors(ours, {"w": first})) == {"w/step", "w/exp_avg", "w/exp_avg_sq"}
