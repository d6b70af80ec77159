"""Bottleneck adapters: a small network of two layers after the MLP of every layer, or after both of its parts.

y ← y + up(act(down(y))), before y is added to the stream (arXiv 1902.00751; after the MLP alone: arXiv 2005.00247).
peft does not have them, so the file's layout is Burnish's own, and only Burnish reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from burnish.adapt.further_settings import BottleneckSettings
from burnish.adapt.method import Adapter, Method, fill, no_merged_form
from burnish.model.decoder import Decoder, Linear

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}
PARTS = {"mlp": ("mlp",), "both": ("self_attn", "mlp")}


class Bottleneck(nn.Module):
    """A part of a layer with an adapter behind it. `up` starts at zero: at first nothing changes."""

    def __init__(self, base: nn.Module, down: Linear, up: Linear, activation: str) -> None:
        super().__init__()
        self.base, self.down, self.up = base, down, up
        self.activation = activation
        self.on = True

    def forward(self, x_T_D: Tensor, *context: Any) -> Tensor:
        made: Tensor = self.base(x_T_D, *context)
        if not self.on:
            return made
        added: Tensor = self.up(ACTIVATIONS[self.activation](self.down(made)))
        return made + added


def apply(decoder: Decoder, settings: BottleneckSettings, seed: int) -> None:
    """Puts an adapter behind the chosen parts of every layer."""
    generator = torch.Generator().manual_seed(seed)
    for layer in decoder.model.layers:
        for part in PARTS[settings.after]:
            down, up = _pair(decoder.config.width, settings.size, generator)
            made = Bottleneck(layer.get_submodule(part), down, up, settings.activation)
            layer.set_submodule(part, made.to(decoder.device))


def _pair(width: int, size: int, generator: torch.Generator) -> tuple[Linear, Linear]:
    """In float32: `down` as torch initialises a linear layer, `up` zero."""
    down, up = Linear(width, size, dtype=torch.float32), Linear(size, width, dtype=torch.float32)
    for parameter in (down.bias, up.weight, up.bias):
        nn.init.zeros_(parameter)
    bound = 1 / math.sqrt(width)
    nn.init.uniform_(down.weight, -bound, bound, generator=generator)
    return down, up


def layers(decoder: Decoder) -> dict[str, Bottleneck]:
    """All adapters by the transformers name of the part that they stand behind."""
    return {name: module for name, module in decoder.named_modules() if isinstance(module, Bottleneck)}


def switch(decoder: Decoder, on: bool) -> None:
    """Adapters on or off."""
    for module in layers(decoder).values():
        module.on = on


def state(decoder: Decoder, settings: BottleneckSettings) -> dict[str, Tensor]:
    """The adapter's tensors: `model.layers.0.mlp.down.weight` and so on."""
    return {
        f"{name}.{part}.{kind}": parameter.detach()
        for name, module in layers(decoder).items()
        for part, linear in (("down", module.down), ("up", module.up))
        for kind, parameter in linear.named_parameters()
    }


def own_config(settings: BottleneckSettings, base: str) -> dict[str, Any]:
    """adapter_config.json: a type that peft refuses by name rather than misreads."""
    return {
        "peft_type": "BURNISH_BOTTLENECK",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "size": settings.size,
        "after": settings.after,
        "activation": settings.activation,
    }


def load(decoder: Decoder, settings: BottleneckSettings, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    fill(state(decoder, settings), tensors)


def merged(decoder: Decoder) -> NoReturn:
    """Raises RecipeError."""
    raise no_merged_form("An adapter with a curve between its layers")


METHOD = Method(apply=apply, adapter=Adapter(switch, state, own_config, load, merged))
