from __future__ import annotations

import pytest
import torch

from burnish.adapt import methods
from burnish.adapt.between import between
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from tests.tiny import make_model


def made(adapt: AdaptSettings) -> Decoder:
    model = make_model(300)
    decoder = build_decoder(
        model.config.to_dict(), dict(model.state_dict()), dtype=torch.float32, device=torch.device("cpu")
    )
    methods.apply(decoder, adapt, seed=1)
    return decoder


@pytest.mark.parametrize("adapt", [LoRASettings(r=2, alpha=4), FullSettings()], ids=["lora", "full"])
@pytest.mark.parametrize("scale", [0.0, 0.25, 1.0])
def test_the_update_of_every_matrix_is_scaled(adapt: AdaptSettings, scale: float) -> None:
    decoder = made(adapt)
    base = {name: weight.clone() for name, weight in methods.merged_tensors(decoder).items()}
    parameters = methods.trainable(decoder)
    start = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    end = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    tuned = {name: weight.clone() for name, weight in methods.merged_tensors(decoder).items()}
    with torch.no_grad():
        for name, tensor in between(start, end, scale).items():
            parameters[name].copy_(tensor)
    for name, weight in methods.merged_tensors(decoder).items():
        torch.testing.assert_close(weight, base[name] + scale * (tuned[name] - base[name]), rtol=0, atol=1e-6)


def test_an_adapter_that_did_not_begin_at_zero_is_scaled_whole() -> None:
    start = {"x.lora_A": torch.ones(1, 2), "x.lora_B": torch.ones(2, 1)}
    end = {"x.lora_A": 3 * torch.ones(1, 2), "x.lora_B": 3 * torch.ones(2, 1)}
    half = between(start, end, 0.5)
    assert half["x.lora_A"].tolist() == [[2.0, 2.0]]
    assert half["x.lora_B"].tolist() == [[2.0], [2.0]]
