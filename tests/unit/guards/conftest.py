"""A tiny decoder and rows of general questions with answers."""

from __future__ import annotations

import torch

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Rendered
from tests.tiny import make_model
from tests.unit.train.conftest import TOKENIZER, rows_of

GENERAL = {"which parcel?": "the third", "colour of the sea": "green", "late order": "refund", "and you?": "blue 🦊"}
ROWS: list[Rendered] = list(rows_of(GENERAL).rendered)


def tiny(adapt: AdaptSettings, dtype: torch.dtype = torch.float32) -> Decoder:
    model = make_model(len(TOKENIZER))
    decoder = build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=dtype, device=torch.device("cpu"))
    methods.apply(decoder, adapt)
    return decoder


def move(decoder: Decoder, far: float = 0.05) -> Decoder:
    """Changes all weights that train."""
    generator = torch.Generator().manual_seed(1)
    for parameter in methods.trainable(decoder).values():
        parameter.data += far * torch.randn(parameter.shape, generator=generator).to(parameter)
    return decoder
