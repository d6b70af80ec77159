from __future__ import annotations

import pytest
import torch
from torch import Tensor

from burnish.core.errors import ModelError
from burnish.model.config import decoder_config
from burnish.model.load import build_decoder, decoder_tensors
from tests.tiny import make_model

CPU = torch.device("cpu")
MODEL = make_model(50, tied=False)
CONFIG = MODEL.config.to_dict()
NORM = "model.norm.weight"


def tensors() -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in MODEL.state_dict().items()}


def test_tensors_go_in_and_come_out_as_they_were() -> None:
    given = tensors()
    out = decoder_tensors(build_decoder(CONFIG, given, dtype=torch.float32, device=CPU))
    assert out.keys() == given.keys()
    assert all(torch.equal(out[name], given[name]) for name in given)


def test_nothing_trains_in_a_decoder_that_was_read() -> None:
    decoder = build_decoder(CONFIG, tensors(), dtype=torch.bfloat16, device=CPU)
    assert not any(parameter.requires_grad for parameter in decoder.parameters())
    assert {parameter.dtype for parameter in decoder.parameters()} == {torch.bfloat16}


def test_a_missing_or_left_over_tensor_is_named() -> None:
    without, more = tensors(), tensors()
    del without[NORM]
    more["model.layers.7.mlp.up_proj.weight"] = torch.zeros(1)
    with pytest.raises(ModelError, match=r"missing \['model\.norm\.weight'\]"):
        build_decoder(CONFIG, without, dtype=torch.float32, device=CPU)
    with pytest.raises(ModelError, match=r"left over \['model\.layers\.7"):
        build_decoder(CONFIG, more, dtype=torch.float32, device=CPU)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_a_tensor_that_is_not_finite_or_of_another_shape_is_named(bad: float) -> None:
    given = tensors()
    given[NORM][3] = bad
    with pytest.raises(ModelError, match=rf"{NORM} holds NaN or infinity"):
        build_decoder(CONFIG, given, dtype=torch.float32, device=CPU)
    with pytest.raises(ModelError, match=rf"{NORM} has the wrong shape"):
        build_decoder(CONFIG, {**given, NORM: torch.ones(65)}, dtype=torch.float32, device=CPU)


def test_a_large_sum_in_float16_is_no_infinity() -> None:
    # 50 · 64 numbers of 100 add up to 320,000, beyond float16's largest number, 65,504; each of them is finite.
    given = {name: tensor.half() for name, tensor in tensors().items()}
    given["model.embed_tokens.weight"] = torch.full((50, 64), 100.0, dtype=torch.float16)
    decoder = build_decoder(CONFIG, given, dtype=torch.float32, device=CPU)
    assert decoder.model.embed_tokens.weight.max() == 100


@pytest.mark.parametrize(
    ("change", "where"),
    [({"model_type": "mamba"}, "model_type"), ({"rope_parameters": {"rope_type": "yarn"}}, "rope_scaling")],
)
def test_what_the_decoder_does_not_compute_is_refused(change: dict[str, object], where: str) -> None:
    with pytest.raises(ModelError, match="not supported") as caught:
        decoder_config({**CONFIG, **change})
    assert where in caught.value.where
