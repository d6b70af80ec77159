"""Full and partial fine-tuning: the chosen weights themselves train, as float32 masters that multiply in bf16."""

from __future__ import annotations

import torch
from torch import nn

from burnish.adapt.method import Method
from burnish.adapt.settings import FreezeSettings, FullSettings
from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder


def _unfreeze(module: nn.Module) -> None:
    for parameter in module.parameters():
        wide = torch.float64 if parameter.dtype == torch.float64 else torch.float32
        # A copy, since the checkpoint that was read may lie in the same memory and must stay what it is.
        parameter.data = parameter.data.to(wide, copy=True)
        parameter.requires_grad_(True)


def apply_full(decoder: Decoder, settings: FullSettings, seed: int) -> None:
    """Every weight trains."""
    _unfreeze(decoder)


def apply_freeze(decoder: Decoder, settings: FreezeSettings, seed: int) -> None:
    """The last layers and the last norm train. Raises RecipeError: more layers than there are."""
    if settings.layers > decoder.config.layers:
        raise RecipeError(
            "`adapt.layers` is more than the model has.",
            seen=str(settings.layers),
            next_move=f"give a number from 1 to {decoder.config.layers}",
        )
    for layer in decoder.model.layers[-settings.layers :]:
        _unfreeze(layer)
    _unfreeze(decoder.model.norm)


FULL = Method(apply=apply_full)
FREEZE = Method(apply=apply_freeze)
