"""Several LoRA adapters on one base: switch between them, put several in at once, write a weighted sum as one.

A sum of low-rank updates is a low-rank update whose factors stand side by side,

    Σ wᵢ sᵢ Bᵢ Aᵢ = [w₁ s₁ B₁ … wₙ sₙ Bₙ] [A₁; …; Aₙ],

so nothing is approximated: the ranks add up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from burnish.adapt.lora import LoRALinear, layers
from burnish.adapt.lora_file import Update, read_lora
from burnish.adapt.methods import write_adapter
from burnish.core.errors import ModelError, RecipeError
from burnish.model.bank import check_fit
from burnish.model.decoder import Decoder
from burnish.model.frozen_linear import FrozenLinear

Updates: TypeAlias = Mapping[str, Update]  # by transformers' name of the matrix


def combined(adapters: Mapping[str, Updates], weights: Mapping[str, float]) -> dict[str, Update]:
    """The sum of adapters, each times its weight. Raises RecipeError: no such adapter, or a weight that is not finite;
    ModelError: two of them are of different models."""
    for name, weight in weights.items():
        if name not in adapters:
            raise RecipeError(
                "There is no such adapter.", seen=name, next_move=f"use some of: {', '.join(sorted(adapters))}"
            )
        if not math.isfinite(weight):
            raise RecipeError("An adapter's weight is no finite number.", seen=f"{name}: {weight}")
    names = sorted({matrix for name in weights for matrix in adapters[name]})
    return {
        matrix: _sum(matrix, [(adapters[name][matrix], weight) for name, weight in weights.items()
                              if matrix in adapters[name]])
        for matrix in names
    }  # fmt: skip


def _sum(matrix: str, parts: Iterable[tuple[Update, float]]) -> Update:
    parts = list(parts)
    shapes = {(part.b.shape[0], part.a.shape[1]) for part, _ in parts}
    if len(shapes) > 1:
        raise ModelError("These adapters are of different models.", where=matrix, seen=f"matrices of {sorted(shapes)}")
    a = torch.cat([part.a for part, _ in parts])
    return Update(a, torch.cat([weight * part.scale * part.b for part, weight in parts], dim=1), 1.0)


def write_update(folder: Path, updates: Updates, *, base: str) -> None:
    """An adapter's folder in peft's layout; each matrix has the rank that it has. `base` names the base model.

    Raises RecipeError: there is nothing to write.
    """
    if not updates:
        raise RecipeError("There is no adapter to write.", next_move="name at least one")
    tensors: dict[str, Tensor] = {}
    for name, update in updates.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = update.a
        tensors[f"base_model.model.{name}.lora_B.weight"] = update.scale * update.b
    write_adapter(folder, tensors, _config(updates, base))


def _config(updates: Updates, base: str) -> dict[str, Any]:
    """alpha is the rank everywhere: the updates count once."""
    ranks = {name: update.a.shape[0] for name, update in updates.items()}
    most = max(ranks.values())
    others = {re.escape(name): rank for name, rank in ranks.items() if rank != most}
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": most,
        "lora_alpha": most,
        "rank_pattern": others,
        "alpha_pattern": others,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted({name.rsplit(".", 1)[-1] for name in updates}) if _everywhere(ranks) else [*ranks],
        "inference_mode": True,
    }


def _everywhere(ranks: Mapping[str, int]) -> bool:
    """Whether every layer has the same matrices, so that their last names say which they are."""
    kinds: dict[str, set[str]] = {}
    for name in ranks:
        layer, _, matrix = name.removeprefix("model.layers.").partition(".")
        kinds.setdefault(layer, set()).add(matrix)
    return len({frozenset(matrices) for matrices in kinds.values()}) == 1


@dataclass(frozen=True)
class Several:
    """A decoder with adapters that take turns on it. The base's weights are there once."""

    decoder: Decoder
    adapters: Mapping[str, Updates]

    def use(self, *names: str, weights: Mapping[str, float] | None = None) -> None:
        """Puts these adapters in, added up, each times its weight (1 where not named); none: the base to the last bit.

        Raises as `combined`.
        """
        chosen = {**dict.fromkeys(names, 1.0), **(weights or {})}
        updates = combined(self.adapters, chosen)
        for name, layer in layers(self.decoder).items():
            layer.on = name in updates
            if layer.on:
                device = self.decoder.device
                layer.lora_A.data = updates[name].a.to(device)
                layer.lora_B.data = updates[name].b.to(device)

    def combine(self, weights: Mapping[str, float], folder: Path, *, base: str) -> None:
        """Writes the weighted sum as one adapter."""
        write_update(folder, combined(self.adapters, weights), base=base)


def load_several(decoder: Decoder, folders: Mapping[str, Path]) -> Several:
    """Reads adapters onto one frozen decoder; none is in use yet.

    Raises ModelError: one cannot be read, or is not of this model.
    """
    adapters = {name: read_lora(folder) for name, folder in folders.items()}
    for name, updates in adapters.items():
        for matrix, update in updates.items():
            check_fit(decoder, matrix, update.a, update.b, f"{folders[name]}, {matrix}")
    for matrix in sorted({matrix for updates in adapters.values() for matrix in updates}):
        base = decoder.get_submodule(matrix)
        assert isinstance(base, FrozenLinear)  # else it had not fitted
        layer = LoRALinear(base, 1, 1.0, decoder.device).requires_grad_(False).eval()
        layer.on = False
        decoder.set_submodule(matrix, layer)
    return Several(decoder, adapters)
