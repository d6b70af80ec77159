from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from safetensors.torch import load
from torch import Tensor, nn

from burnish.train.optimiser import AdamW, forget_gradients, optimiser_tensors, restore_optimiser
from burnish.train.tensor_file import tensor_pieces

RATES = (0.0, 1e-3, 3e-3, 1e-2, 5e-4)
DTYPES = (torch.float32, torch.bfloat16, torch.float64)


def step(optimiser: AdamW, parameter: nn.Parameter, gradient: float) -> None:
    parameter.grad = torch.full_like(parameter, gradient)
    optimiser.step(0.1)


def bits(tensor: Tensor) -> bytes:
    return tensor.detach().reshape(-1).view(torch.uint8).numpy().tobytes()


def parameters_of(seed: int) -> dict[str, nn.Parameter]:
    """Of several types and shapes, in an order that is not the alphabet's."""
    source = torch.Generator().manual_seed(seed)
    shapes = ((64, 33), (7,), (1,), (300, 5))
    made = {
        f"{at}/{dtype}": nn.Parameter(torch.randn(shape, generator=source).to(dtype))
        for at, shape in enumerate(shapes)
        for dtype in DTYPES
    }
    return {**made, "a": nn.Parameter(torch.randn(3, generator=source))}


def learn(parameters: Mapping[str, nn.Parameter], number: int) -> None:
    """Fills the gradients with the same numbers for the same `number`; "1/…" has none in the first update."""
    source = torch.Generator().manual_seed(100 + number)
    for name, parameter in parameters.items():
        gradient = torch.randn(parameter.shape, generator=source).to(parameter.dtype)
        parameter.grad = None if number == 0 and name.startswith("1/") else gradient


def test_the_first_step_is_the_rate_itself() -> None:
    # m = 0.1 g, v = 0.001 g²; both corrected for their start: g / √(g²) = 1, so the step is the rate whatever g is
    parameter = nn.Parameter(torch.tensor([1.0, 1.0]))
    step(AdamW({"w": parameter}, weight_decay=0.0), parameter, 0.003)
    assert torch.allclose(parameter, torch.tensor([0.9, 0.9]), atol=1e-6)


def test_decay_pulls_towards_zero_apart_from_the_gradient() -> None:
    # w (1 - rate · decay) - rate = 1 · (1 - 0.1 · 0.5) - 0.1 = 0.85
    parameter = nn.Parameter(torch.tensor([1.0]))
    step(AdamW({"w": parameter}, weight_decay=0.5), parameter, 7.0)
    assert torch.allclose(parameter, torch.tensor([0.85]), atol=1e-6)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_weights_and_state_are_those_of_torch_to_the_last_bit(decay: float) -> None:
    ours, theirs = parameters_of(1), parameters_of(1)
    optimiser = AdamW(ours, decay)
    torchs = torch.optim.AdamW(theirs.values(), lr=0.0, betas=(0.9, 0.999), weight_decay=decay, fused=True)
    for number, rate in enumerate(RATES):
        learn(ours, number)
        learn(theirs, number)
        optimiser.step(rate)
        torchs.param_groups[0]["lr"] = rate
        torchs.step()
    for name, parameter in ours.items():
        assert bits(parameter) == bits(theirs[name]), name
    expected = {
        f"{name}/{key}": value for name, parameter in theirs.items() for key, value in torchs.state[parameter].items()
    }
    made = optimiser_tensors(optimiser)
    assert list(made) == list(expected)  # a checkpoint's bytes hang on the order
    for name, tensor in expected.items():
        assert (made[name].dtype, made[name].shape) == (tensor.dtype, tensor.shape), name
        assert bits(made[name]) == bits(tensor), name


def test_a_parameter_with_a_factor_learns_as_in_a_group_of_its_own() -> None:
    ours, theirs = parameters_of(1), parameters_of(1)
    factors = {"a": 16.0, "3/torch.float32": 4.0}
    optimiser = AdamW(ours, 0.1, factors)
    groups = [{"params": [parameter]} for parameter in theirs.values()]
    torchs = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.999), weight_decay=0.1, fused=True)
    for number, rate in enumerate(RATES):
        learn(ours, number)
        learn(theirs, number)
        optimiser.step(rate)
        for name, group in zip(theirs, torchs.param_groups, strict=True):
            group["lr"] = rate * factors.get(name, 1.0)
        torchs.step()
    assert all(bits(parameter) == bits(theirs[name]) for name, parameter in ours.items())


def test_the_state_goes_out_and_in_again_to_the_last_bit() -> None:
    first, second = parameters_of(1), parameters_of(2)
    ours, other = AdamW(first, 0.1), AdamW(second, 0.1)
    for number in range(3):
        learn(first, number)
        ours.step(1e-2)
    with torch.no_grad():
        for name, parameter in second.items():
            parameter.copy_(first[name])
    restore_optimiser(other, load(b"".join(tensor_pieces(optimiser_tensors(ours)))))
    assert list(optimiser_tensors(other)) == list(optimiser_tensors(ours))
    for one, parameters in ((ours, first), (other, second)):
        learn(parameters, 3)
        one.step(1e-2)
    for name in first:
        assert bits(first[name]) == bits(second[name]), name
        for key in ("step", "exp_avg", "exp_avg_sq"):
            assert bits(ours.tensors[f"{name}/{key}"]) == bits(other.tensors[f"{name}/{key}"]), name


def test_what_is_restored_is_a_copy() -> None:
    parameter = nn.Parameter(torch.ones(2))
    ours = AdamW({"w": parameter}, 0.0)
    step(ours, parameter, 0.5)
    before = {name: tensor.clone() for name, tensor in ours.tensors.items()}
    other = AdamW({"w": parameter}, 0.0)
    restore_optimiser(other, ours.tensors)
    step(other, parameter, 0.5)
    assert all(torch.equal(ours.tensors[name], tensor) for name, tensor in before.items())


def test_nothing_is_restored_where_nothing_was_updated() -> None:
    optimiser = AdamW({"w": nn.Parameter(torch.ones(2))}, 0.0)
    restore_optimiser(optimiser, {})
    assert optimiser_tensors(optimiser) == {}
    optimiser.step(0.1)  # and without a gradient there is still nothing to do
    assert optimiser_tensors(optimiser) == {}


def test_gradients_are_forgotten() -> None:
    parameters = parameters_of(1)
    learn(parameters, 1)
    forget_gradients(parameters)
    assert all(parameter.grad is None for parameter in parameters.values())
