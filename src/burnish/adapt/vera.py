"""VeRA: y = W x + b · B (d · A x), with one random A and B for all matrices and two learnt vectors for each
(arXiv 2310.11454).

Files are in peft's layout. It is not left to peft, which can put VeRA only around a whole model of transformers. Names:
r rows of the projections; a matrix takes as many columns of A and rows of B as it has inputs and outputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from burnish.adapt.further_settings import VeRASettings
from burnish.adapt.method import Adapter, Method, fill
from burnish.adapt.targets import find_targets
from burnish.model.decoder import Decoder
from burnish.model.frozen_linear import FrozenLinear

SHARED = ("base_model.vera_A", "base_model.vera_B")
START_D = 0.1  # the paper's; b starts at zero, so at first nothing changes


@dataclass(frozen=True)
class Projections:
    """A (r, most inputs) and B (most outputs, r), frozen, in the precision of the network."""

    a: Tensor
    b: Tensor


class VeRALinear(nn.Module):
    """A frozen linear layer with an update of which two vectors train, in float32."""

    def __init__(self, base: FrozenLinear, shared: Projections) -> None:
        super().__init__()
        self.base, self.shared = base, shared
        wide = torch.promote_types(shared.a.dtype, torch.float32)
        start = torch.full((len(shared.a),), START_D, dtype=wide, device=shared.a.device)
        self.vera_lambda_d = nn.Parameter(start)
        self.vera_lambda_b = nn.Parameter(start.new_zeros(base.out_features))
        self.on = True

    @property
    def _projections(self) -> tuple[Tensor, Tensor]:
        return self.shared.a[:, : self.base.in_features], self.shared.b[: self.base.out_features]

    def forward(self, x: Tensor) -> Tensor:
        made = self.base(x)
        if not self.on:
            return made
        a, b = self._projections
        inner = F.linear(x, a) * self.vera_lambda_d.to(x.dtype)
        return made + F.linear(inner, b) * self.vera_lambda_b.to(x.dtype)

    def merged_weight(self, wide: torch.dtype) -> Tensor:
        """W + diag(b) B diag(d) A."""
        a, b = (one.to(wide) for one in self._projections)
        scaled_b = self.vera_lambda_b.to(wide)[:, None] * b * self.vera_lambda_d.to(wide)
        return self.base.dense(wide) + scaled_b @ a


def apply(decoder: Decoder, settings: VeRASettings, seed: int) -> None:
    """Puts VeRA beside every matrix named in the settings. `seed` draws the projections.

    Raises RecipeError: a name matches nothing.
    """
    chosen = dict(find_targets(decoder, settings.targets))
    if not chosen:
        return
    shared = _drawn(decoder, list(chosen.values()), settings.r, seed)
    for name, linear in chosen.items():
        decoder.set_submodule(name, VeRALinear(linear, shared))


def _drawn(decoder: Decoder, linears: list[FrozenLinear], r: int, seed: int) -> Projections:
    """As torch initialises a linear layer, but wider: Kaiming's uniform numbers for a gain of √2, as the paper has."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((r, max(one.in_features for one in linears)), (max(one.out_features for one in linears), r))
    drawn = (
        torch.empty(shape).uniform_(-math.sqrt(6 / shape[1]), math.sqrt(6 / shape[1]), generator=generator)
        for shape in shapes
    )
    return Projections(*(one.to(decoder.device, decoder.compute) for one in drawn))


def layers(decoder: Decoder) -> dict[str, VeRALinear]:
    """All VeRA layers by the transformers name of the matrix they stand beside."""
    return {name: module for name, module in decoder.named_modules() if isinstance(module, VeRALinear)}


def switch(decoder: Decoder, on: bool) -> None:
    """With the adapter off the network is the base again, to the last bit."""
    for module in layers(decoder).values():
        module.on = on


def state(decoder: Decoder, settings: VeRASettings) -> dict[str, Tensor]:
    """The vectors and the projections under peft's names."""
    found = layers(decoder)
    shared = next(iter(found.values())).shared
    vectors = {
        f"base_model.model.{name}.{kind}": vector.detach()
        for name, module in found.items()
        for kind, vector in module.named_parameters(recurse=False)
    }
    return {**vectors, **dict(zip(SHARED, (shared.a, shared.b), strict=True))}


def load(decoder: Decoder, settings: VeRASettings, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    fill(state(decoder, settings), tensors)


def peft_config(settings: VeRASettings, base: str) -> dict[str, Any]:
    """adapter_config.json as peft reads it."""
    return {
        "peft_type": "VERA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": settings.r,
        "target_modules": sorted(settings.targets),
        "d_initial": START_D,
        "save_projection": True,
        "vera_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
    }


def merged(decoder: Decoder) -> dict[str, Tensor]:
    """The merged weight of every matrix with an update, by its name, in float32 (or float64)."""
    wide = torch.float64 if decoder.compute == torch.float64 else torch.float32
    return {f"{name}.weight": module.merged_weight(wide).detach() for name, module in layers(decoder).items()}


METHOD = Method(apply=apply, adapter=Adapter(switch, state, peft_config, load, merged))
