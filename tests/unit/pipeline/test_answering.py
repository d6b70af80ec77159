"""A network readied for answers alone gives the answers that it gave before."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from burnish.adapt import methods
from burnish.adapt.further_settings import IA3Settings, VeRASettings
from burnish.adapt.settings import AdaptSettings, LoRASettings
from burnish.model.arranged import ArrangedLinear
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.pipeline.answering import ready
from tests.tiny import make_model

FOREST = plant([Segment(list(range(3, 33)), [1.0] * 30)])
METHODS: dict[str, AdaptSettings] = {
    "LoRA": LoRASettings(r=4, alpha=8),
    "DoRA": LoRASettings(r=4, alpha=8, dora=True),
    "PiSSA": LoRASettings(r=4, alpha=8, start="pissa"),
    "VeRA": VeRASettings(r=8),
    "IA3, through peft": IA3Settings(),
}


def adapted(settings: AdaptSettings) -> Decoder:
    model = make_model(97)
    tensors = {name: one for name, one in model.state_dict().items() if name != "lm_head.weight"}
    decoder = build_decoder(model.config.to_dict(), tensors, dtype=torch.bfloat16, device=torch.device("cpu"))
    methods.apply(decoder, settings)
    torch.manual_seed(1)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return decoder.requires_grad_(False)


@pytest.mark.parametrize("settings", METHODS.values(), ids=METHODS)
@torch.no_grad()
def test_the_same_answers_to_the_bit(settings: AdaptSettings) -> None:
    before, decoder = adapted(settings), ready(adapted(settings))
    assert torch.equal(decoder.hidden(FOREST), before.hidden(FOREST))
    with methods.switched_off(before), methods.switched_off(decoder):
        assert torch.equal(decoder.hidden(FOREST), before.hidden(FOREST))


def test_a_layer_that_peft_wraps_keeps_its_rows() -> None:
    decoder = ready(adapted(IA3Settings()))
    wrapped = [name for name, layer in decoder.named_modules() if name.endswith(".base_layer")]
    assert wrapped
    assert not any(isinstance(decoder.get_submodule(name), ArrangedLinear) for name in wrapped)


def test_the_rows_of_the_base_are_let_go(tmp_path: Path) -> None:
    decoder = ready(adapted(LoRASettings(r=4, alpha=8)))
    dense = [name for name, one in decoder.named_parameters() if one.dim() == 2 and "lora" not in name]
    assert dense == ["model.embed_tokens.weight"]
    assert not decoder.adaptation.weights  # type: ignore[attr-defined]
