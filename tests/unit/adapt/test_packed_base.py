"""The LoRA family needs nothing of its base but `dense`: a layer may keep its weight in any form."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from burnish.adapt import methods
from burnish.adapt.settings import LoRASettings
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.model.packing import Packing
from tests.tiny import make_model

FOREST = plant([Segment(list(range(3, 33)), [1.0] * 30)])
FAMILY = {
    "plain": LoRASettings(r=4, alpha=8),
    "mlp alone": LoRASettings(r=4, alpha=8, targets="mlp"),
    "DoRA": LoRASettings(r=4, alpha=8, dora=True),
    "PiSSA": LoRASettings(r=4, alpha=8, start="pissa"),
    "dropout": LoRASettings(r=4, alpha=8, dropout=0.2),
}


class Halved(nn.Module):
    """A frozen layer that keeps half of its weight, as no parameter."""

    bias = None

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.half = weight / 2
        self.out_features, self.in_features = weight.shape

    def dense(self, dtype: torch.dtype) -> Tensor:
        return self.half.to(dtype) * 2

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.dense(x.dtype))


def decoder_of(model: LlamaForCausalLM, *, packed: bool) -> Decoder:
    tensors = dict(model.state_dict())
    return build_decoder(
        model.config.to_dict(),
        tensors,
        dtype=torch.float32,
        device=torch.device("cpu"),
        packing=Packing(lambda name: Halved(tensors[f"{name}.weight"])) if packed else None,
    )


@pytest.mark.parametrize("settings", FAMILY.values(), ids=FAMILY)
def test_it_learns_and_merges_as_on_dense_weights(settings: LoRASettings) -> None:
    model = make_model(97)
    found = []
    for packed in (False, True):
        decoder = decoder_of(model, packed=packed)
        methods.apply(decoder, settings, seed=1)
        parameters = methods.trainable(decoder)
        for parameter in parameters.values():
            parameter.data += 0.05
        torch.autograd.backward(-decoder.logprobs(decoder.hidden(FOREST), FOREST).sum())
        found.append(({name: one.grad for name, one in parameters.items()}, methods.merged_tensors(decoder)))
    (gradients, merged), (other_gradients, other_merged) = found
    assert gradients.keys() == other_gradients.keys()
    assert merged.keys() == other_merged.keys()
    for first, second in ((gradients, other_gradients), (merged, other_merged)):
        for name, tensor in first.items():
            assert tensor is not None
            assert torch.equal(tensor, second[name]), name
