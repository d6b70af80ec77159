"""A base whose weights are kept in fewer bits: what may be done with it, and its weights made dense again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from burnish.adapt.further_settings import BottleneckSettings, PrefixSettings, PromptSettings, VeRASettings
from burnish.adapt.settings import AdaptSettings, LoRASettings
from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder
from burnish.model.frozen_linear import FrozenLinear
from burnish.model.stored import StoredTable

# Methods that ask a layer for its weight and leave it as it is.
BESIDE = (LoRASettings, VeRASettings, PromptSettings, PrefixSettings, BottleneckSettings)


def check_packed(settings: AdaptSettings, form: str) -> None:
    """Raises RecipeError: the method changes the base's own weights, or wants them dense, and `form` is not dense."""
    if form != "dense" and not isinstance(settings, BESIDE):
        raise RecipeError(
            f"`adapt.type: {settings.type}` needs the base's weights dense.",
            where="model.weights",
            seen=form,
            next_move="set adapt.type to lora, or model.weights to dense",
        )


def packed_layers(decoder: Decoder) -> dict[str, FrozenLinear | StoredTable]:
    """Layers of a plain decoder that keep their weight in another form than a dense one, by name."""
    return {
        name: layer
        for name, layer in decoder.named_modules()
        if isinstance(layer, StoredTable) or (isinstance(layer, FrozenLinear) and not isinstance(layer, nn.Linear))
    }


def unpacked_tensors(
    layers: Mapping[str, FrozenLinear | StoredTable], wide: torch.dtype, but: Collection[str] = ()
) -> dict[str, Tensor]:
    """Their weights and biases in `wide`, without any adapter; those named in `but` are left out."""
    tensors: dict[str, Tensor] = {}
    for name, layer in layers.items():
        if f"{name}.weight" not in but:
            whole = layer.rows(slice(None), wide) if isinstance(layer, StoredTable) else layer.dense(wide)
            tensors[f"{name}.weight"] = whole
        if not isinstance(layer, StoredTable) and layer.bias is not None:
            tensors[f"{name}.bias"] = layer.bias.to(wide)
    return tensors
