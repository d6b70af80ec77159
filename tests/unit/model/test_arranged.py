"""Weights in the blocks of the processor's products: quicker, and not a bit different."""

from __future__ import annotations

import pytest
import torch

from burnish.model.arranged import ArrangedLinear, arrange
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.frozen_linear import FrozenLinear
from burnish.model.load import build_decoder
from tests.tiny import make_model

FOREST = plant([Segment(list(range(3, 33)), [1.0] * 30)])


def make(dtype: torch.dtype, *, tied: bool = True) -> Decoder:
    model = make_model(97, tied=tied)
    tensors = {name: one for name, one in model.state_dict().items() if not (tied and name == "lm_head.weight")}
    return build_decoder(model.config.to_dict(), tensors, dtype=dtype, device=torch.device("cpu"))


@pytest.mark.parametrize("rows", [1, 7, 16, 33, 300])
def test_a_product_has_the_same_bits(rows: int) -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(48, 80).bfloat16(), torch.randn(48).bfloat16()
    x = torch.randn(rows, 80).bfloat16()
    arranged = ArrangedLinear(weight, bias)
    assert torch.equal(arranged(x), torch.nn.functional.linear(x, weight, bias))


def test_the_weight_comes_back_as_it_was() -> None:
    weight = torch.randn(50, 70).bfloat16()
    arranged = ArrangedLinear(weight, None)
    assert isinstance(arranged, FrozenLinear)
    assert torch.equal(arranged.dense(torch.bfloat16), weight)


@pytest.mark.parametrize("tied", [True, False])
@torch.no_grad()
def test_a_decoder_says_the_same_to_the_bit(tied: bool) -> None:
    plain, arranged = make(torch.bfloat16, tied=tied), arrange(make(torch.bfloat16, tied=tied))
    assert isinstance(arranged.model.layers[0].self_attn.q_proj, ArrangedLinear)
    assert torch.equal(plain.hidden(FOREST), arranged.hidden(FOREST))
    assert torch.equal(plain.logits(plain.hidden(FOREST)), arranged.logits(arranged.hidden(FOREST)))


def test_what_would_gain_nothing_stays() -> None:
    decoder = arrange(make(torch.float32))
    assert not any(isinstance(layer, ArrangedLinear) for layer in decoder.modules())
    assert decoder.speak is None
