"""Full and partial fine-tuning: the chosen weights themselves train, as float32 masters that multiply in bf16."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import torch
from torch import nn

from burnish.adapt.method import Method
from burnish.adapt.settings import FreezeSettings, FullSettings
from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder


def _unfreeze(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        wide = torch.float64 if parameter.dtype == torch.float64 else torch.float32
        # A copy, since the checkpoint that was read may lie in the same memory and must stay what it is.
        parameter.data = parameter.data.to(wide, copy=True)
        parameter.requires_grad_(True)


def apply_full(decoder: Decoder, settings: FullSettings, seed: int) -> None:
    """Every weight trains."""
    _unfreeze(decoder.parameters())


def apply_freeze(decoder: Decoder, settings: FreezeSettings, seed: int) -> None:
    """What is named trains; where nothing is, the last layers and the last norm.

    Raises RecipeError: a name that matches nothing, or more layers than there are.
    """
    if settings.names:
        _unfreeze(_named(decoder, settings.names))
        return
    if settings.layers > decoder.config.layers:
        raise RecipeError(
            "`adapt.layers` is more than the model has.",
            seen=str(settings.layers),
            next_move=f"give a number from 1 to {decoder.config.layers}",
        )
    for layer in decoder.model.layers[-settings.layers :]:
        _unfreeze(layer.parameters())
    _unfreeze(decoder.model.norm.parameters())


def _named(decoder: Decoder, patterns: Iterable[str]) -> list[nn.Parameter]:
    """The weights that a pattern matches, each once, in the model's order."""
    weights = dict(decoder.named_parameters())
    matched = {pattern: {name for name in weights if _matches(name, pattern)} for pattern in patterns}
    if idle := [pattern for pattern, names in matched.items() if not names]:
        shown = [name.removesuffix(".weight").removeprefix("model.") for name in weights]
        raise RecipeError(
            "`adapt.names` matches no weight of this model.",
            where=f"adapt.names: {idle[0]}",
            seen=f"names such as {', '.join(dict.fromkeys((*shown[:3], *shown[-2:])))}",
            next_move="write the name as the model spells it, with * for any text",
        )
    chosen = set().union(*matched.values())
    return [parameter for name, parameter in weights.items() if name in chosen]


def _matches(name: str, pattern: str) -> bool:
    """Whether a pattern means this weight, with or without `model.` before and `.weight` after it, or the module that
    it stands in: `norm` is `model.norm.weight`, `lm_head` is `lm_head.weight`."""
    spellings = {name, name.removeprefix("model.")}
    spellings |= {spelling.rpartition(".")[0] for spelling in spellings}
    return any(fnmatchcase(spelling, pattern) for spelling in spellings)


FULL = Method(apply=apply_full)
FREEZE = Method(apply=apply_freeze)
