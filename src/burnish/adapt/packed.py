"""A base whose weights are kept in fewer bits: what may be done with it, and its weights made dense again."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from burnish.adapt.lora import FrozenLinear
from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, PeftSettings
from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder
from burnish.model.stored import StoredTable


def check_packed(settings: AdaptSettings, form: str) -> None:
    """Raises RecipeError: the method changes the base's own weights, or wants them dense, and `form` is not dense."""
    if form != "dense" and isinstance(settings, FullSettings | FreezeSettings | PeftSettings):
        raise RecipeError(
            f"`adapt.type: {settings.type}` needs the base's weights dense.",
            where="model.weights",
            seen=form,
            next_move="set adapt.type to lora, or model.weights to dense",
        )


def _packed(decoder: Decoder) -> Iterator[tuple[str, FrozenLinear]]:
    for name, module in decoder.named_modules():
        if isinstance(module, FrozenLinear) and not isinstance(module, nn.Linear):
            yield name.removesuffix(".base"), module


def packed_tensors(decoder: Decoder) -> dict[str, Tensor]:
    """Those weights in float32 under transformers' names, without any adapter."""
    tensors: dict[str, Tensor] = {}
    for name, linear in _packed(decoder):
        tensors[f"{name}.weight"] = linear.dense(torch.float32)
        if linear.bias is not None:
            tensors[f"{name}.bias"] = linear.bias.float()
    for name, module in decoder.named_modules():
        if isinstance(module, StoredTable):
            tensors[f"{name}.weight"] = module.rows(slice(None), torch.float32)
    return tensors
