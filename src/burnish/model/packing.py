"""The forms in which a frozen base may be kept, by the name that stands under `model.weights`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from burnish.model.few_bits import in_few_bits
from burnish.model.settings import WeightsForm
from burnish.model.stored import stored_weights

# The name of a projection in a layer, such as "model.layers.0.mlp.up_proj" → a frozen layer that keeps this weight in
# another form (with `in_features`, `out_features`, `bias`, `dense` and `forward` as decoder.Linear has them), ready on
# its device, without parameters, with buffers that are not persistent; None: this one is kept dense.
Pack: TypeAlias = Callable[[str], nn.Module | None]


@dataclass(frozen=True)
class Packing:
    """linear: for the projections in layers. table: for `model.embed_tokens` and `lm_head`, as stored.StoredTable."""

    linear: Pack
    table: Pack | None = None


def make_packing(
    form: WeightsForm, tensors: Mapping[str, Tensor], *, dtype: torch.dtype, device: torch.device
) -> Packing | None:
    """How a base with these weights is kept; None: dense. Raises RecipeError: this model cannot be kept so."""
    if form == "stored":
        stored = stored_weights(tensors, dtype=dtype, device=device)
        return Packing(stored.linear, stored.table)
    if form != "dense":
        return Packing(in_few_bits(tensors, form, device))
    return None
