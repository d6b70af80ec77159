"""Fisher information, against gradients of the whole weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from burnish.adapt import lora, methods
from burnish.adapt.settings import FullSettings, LoRASettings
from burnish.guards.fisher import diagonal_fisher, factored_fisher
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest, Segment, plant
from burnish.objectives.sft import SFT
from tests.unit.guards.conftest import ROWS, tiny

LAYER = "model.layers.1.mlp.down_proj"


def loss(model: Decoder, forest: Forest) -> Tensor:
    return SFT().terms(model, forest)["answer"]


def answers() -> list[Forest]:
    return [forest for row in enumerate(ROWS) for forest in SFT().passes([row], 64)]


def test_the_diagonal_is_the_mean_of_squared_gradients_a_token() -> None:
    decoder = tiny(FullSettings())
    found = diagonal_fisher(decoder, methods.trainable(decoder), answers(), loss)
    expected, tokens = torch.zeros(()), 0
    for forest in answers():
        decoder.zero_grad()
        loss(decoder, forest).backward()
        gradient = decoder.get_parameter(f"{LAYER}.weight").grad
        assert gradient is not None
        expected = expected + gradient.square()
        tokens += len(forest.target_at_N)
    assert torch.allclose(found[f"{LAYER}.weight"], expected / tokens)


def test_where_one_token_is_read_the_factors_are_the_diagonal_itself() -> None:
    """Of two tokens the first predicts the second, and nothing is read from that: d dᵀ x xᵀ has rank one."""
    forest = plant([Segment([7, 9], [0.0, 1.0])])
    full, adapted = tiny(FullSettings()), tiny(LoRASettings(r=4, alpha=8))
    whole = diagonal_fisher(full, methods.trainable(full), [forest], loss)
    for name, (output, inputs) in factored_fisher(adapted, lora.layers(adapted), [forest], loss).items():
        expected = whole[f"{name}.weight"]
        assert torch.allclose(output[:, None] * inputs, expected, rtol=1e-3, atol=1e-3 * float(expected.max()))


def test_the_factors_add_up_to_the_sum_over_tokens_and_leave_no_trace() -> None:
    """Σ_ij u_i v_j = Σ_t |d_t|² |x_t|² / targets, whatever the rank of the whole."""
    decoder = tiny(LoRASettings(r=4, alpha=8))
    layer = lora.layers(decoder)[LAYER]
    seen: list[tuple[Tensor, Tensor]] = []

    def watch(module: object, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        output.register_hook(lambda slope: seen.append((inputs[0].detach(), slope)))

    handle = layer.register_forward_hook(watch)
    tokens = 0
    for forest in answers():
        loss(decoder, forest).backward()
        tokens += len(forest.target_at_N)
    handle.remove()
    decoder.zero_grad()
    expected = sum(float((x.square().sum(-1) * slope.square().sum(-1)).sum()) for x, slope in seen) / tokens
    output, inputs = factored_fisher(decoder, {LAYER: layer}, SFT().passes(list(enumerate(ROWS)), 1000), loss)[LAYER]
    assert float(output.sum() * inputs.sum()) == pytest.approx(expected, rel=1e-3)
    assert not layer._forward_hooks
    assert all(parameter.grad is None for parameter in decoder.parameters())
