"""What is computed a second time in the backward pass gives the same bits, and is not kept meanwhile."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest, Segment, plant
from burnish.model.load import build_decoder
from burnish.model.remade import recomputed, remade
from tests.tiny import make_model

VOCAB = 320


def make_decoder(adapt: AdaptSettings, dtype: torch.dtype) -> Decoder:
    model = make_model(VOCAB)
    decoder = build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=dtype, device=torch.device("cpu"))
    methods.apply(decoder, adapt, seed=0)
    for name, parameter in methods.trainable(decoder).items():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return decoder


def make_forest() -> Forest:
    """Two answers under one prompt, and a row of 400 tokens, which has another attention."""
    ids = torch.randint(3, VOCAB, (500,), generator=torch.Generator().manual_seed(1)).tolist()
    return plant([
        Segment(ids[:20], [0.0] * 20),
        Segment(ids[20:40], [1.0] * 20, parent=0),
        Segment(ids[40:70], [1.0] * 30, parent=0, row=1),
        Segment(ids[70:470], [1.0] * 400, row=2),
    ])  # fmt: skip


def gradients(decoder: Decoder, forest: Forest) -> dict[str, Tensor]:
    logprob_N = decoder.logprobs(decoder.hidden(forest), forest)
    logprob_N.sum().backward()
    made = {name: parameter.grad.clone() for name, parameter in methods.trainable(decoder).items()
            if parameter.grad is not None}  # fmt: skip
    return {"logprobs": logprob_N.detach(), **made}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("adapt", [LoRASettings(r=4, alpha=8), FullSettings()], ids=["LoRA", "full"])
def test_gradients_are_the_same_bits_with_and_without_recomputing(adapt: AdaptSettings, dtype: torch.dtype) -> None:
    forest = make_forest()
    torch.manual_seed(0)
    kept = gradients(make_decoder(adapt, dtype), forest)
    torch.manual_seed(0)
    decoder = make_decoder(adapt, dtype)
    decoder.recompute = True
    again = gradients(decoder, forest)
    assert len(again) > 20
    assert again.keys() == kept.keys()
    assert all(torch.equal(again[name], kept[name]) for name in kept)


def test_only_the_input_is_kept() -> None:
    alive: list[Tensor] = []

    def run(x: Tensor) -> Tensor:
        for _ in range(3):
            x = x.sin()
        return x

    def note(tensor: Tensor) -> Tensor:
        alive.append(tensor)
        return tensor

    x = torch.linspace(0, 1, 7, requires_grad=True)
    with saved_tensors_hooks(note, lambda tensor: tensor):
        made = recomputed(run, x)
    assert not alive
    (slope,) = torch.autograd.grad(made.sum(), x)
    # d/dx sin sin sin x = cos(sin sin x) cos(sin x) cos x
    assert torch.allclose(slope, x.sin().sin().cos() * x.sin().cos() * x.cos())


def test_the_second_run_ends_with_the_last_thing_that_is_kept() -> None:
    runs: list[str] = []

    def run(x: Tensor) -> Tensor:
        runs.append("begins")
        made = x.exp()  # keeps what it made
        runs.append("ends")
        return made + 1

    x = torch.zeros(2, requires_grad=True)
    made = recomputed(run, x)
    assert runs == ["begins", "ends"]
    made.sum().backward()
    assert runs == ["begins", "ends", "begins"]


def test_a_tensor_is_made_again_where_it_would_be_kept() -> None:
    asked: list[int] = []
    x = torch.linspace(0, 1, 5, requires_grad=True)
    weight = torch.linspace(1, 2, 5, requires_grad=True)
    doubled = x * 2

    def make() -> Tensor:
        asked.append(1)
        return x.detach() * 2

    with remade(doubled, make):
        product = doubled * weight
    assert not asked
    product.sum().backward()
    assert asked == [1]
    assert weight.grad is not None
    assert torch.equal(weight.grad, x.detach() * 2)
