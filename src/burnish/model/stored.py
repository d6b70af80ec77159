"""Layers whose weights stay in memory as a GGUF file holds them, and are unpacked whenever they are used.

What they compute is what the dense layers of the same file compute: the weights have the same bits once unpacked.

Names: T tokens, D width, V vocabulary, R rows, B bytes a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from gguf.constants import GGMLQuantizationType
from torch import Tensor, nn

from burnish.core.errors import ModelError, RecipeError
from burnish.model.blocks import PLAIN, unpacked
from burnish.model.frozen import frozen_product
from burnish.model.gguf_model import LazyTensors, row_order


class StoredLinear(nn.Module):
    """x Wᵀ + b with W in blocks."""

    blocks: Tensor
    bias: Tensor | None

    def __init__(self, blocks_R_B: Tensor, kind: GGMLQuantizationType, width: int, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("blocks", blocks_R_B, persistent=False)
        self.register_buffer("bias", bias, persistent=False)
        self.kind = kind
        self.in_features, self.out_features = width, len(blocks_R_B)

    def dense(self, dtype: torch.dtype) -> Tensor:
        """(out, in): made anew at each call."""
        return unpacked(self.blocks, self.kind, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return frozen_product(x, self.dense, self.bias)


class StoredTable(nn.Module):
    """Embedding, output layer or both, in blocks: only the rows that are asked for are unpacked."""

    blocks: Tensor

    def __init__(self, blocks_V_B: Tensor, kind: GGMLQuantizationType, width: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("blocks", blocks_V_B, persistent=False)
        self.kind, self.dtype = kind, dtype
        self.num_embeddings, self.embedding_dim = len(blocks_V_B), width

    def forward(self, tokens_T: Tensor) -> Tensor:
        return unpacked(self.blocks[tokens_T], self.kind, self.dtype)

    def rows(self, some: slice, dtype: torch.dtype) -> Tensor:
        """(rows of the slice, D)."""
        return unpacked(self.blocks[some], self.kind, dtype)

    def __len__(self) -> int:
        return self.num_embeddings


@dataclass(frozen=True)
class StoredWeights:
    """Makes the layers of a decoder out of a GGUF file. `dtype`: precision of the activations."""

    tensors: LazyTensors
    dtype: torch.dtype
    device: torch.device

    def linear(self, name: str) -> nn.Module | None:
        """Of a projection such as `model.layers.0.mlp.up_proj`; None where blocks would save nothing.

        Raises ModelError: the file holds a type that cannot be read, or a value that is not finite.
        """
        if (blocks := self._blocks(f"{name}.weight")) is None:
            return None
        bias = self.tensors.get(f"{name}.bias")
        kind, width = self._kind_and_width(f"{name}.weight")
        made = StoredLinear(blocks, kind, width, None if bias is None else bias.to(self.device, self.dtype))
        check_finite(name, made.dense(torch.float32))
        return made

    def table(self, name: str) -> nn.Module | None:
        """Of `model.embed_tokens` or `lm_head`, otherwise as `linear`."""
        if (blocks := self._blocks(f"{name}.weight")) is None:
            return None
        made = StoredTable(blocks, *self._kind_and_width(f"{name}.weight"), self.dtype)
        for start in range(0, len(made), 1 << 14):
            check_finite(name, made.rows(slice(start, start + (1 << 14)), torch.float32))
        return made

    def _kind_and_width(self, name: str) -> tuple[GGMLQuantizationType, int]:
        stored = self.tensors.file.tensors[self.tensors.stored[name]]
        return stored.type, stored.shape[-1]

    def _blocks(self, name: str) -> Tensor | None:
        """(R, B) uint8 of our own, rows in transformers' order."""
        kind, _ = self._kind_and_width(name)
        if PLAIN.get(kind) in (torch.float32, self.dtype):
            return None
        raw = torch.from_numpy(self.tensors.file.checked_raw(self.tensors.stored[name]).copy())
        return row_order(raw, name, self.tensors.config).to(self.device)


def check_finite(name: str, weight: Tensor) -> None:
    """Raises ModelError: NaN or infinity."""
    if not torch.isfinite(weight.sum()):
        raise ModelError(f"The tensor {name}.weight holds NaN or infinity.", next_move="download the model again")


def stored_weights(tensors: Mapping[str, Tensor], *, dtype: torch.dtype, device: torch.device) -> StoredWeights:
    """Raises RecipeError: the model is no GGUF file."""
    if not isinstance(tensors, LazyTensors):
        raise RecipeError(
            "`model.weights: stored` keeps the blocks of a GGUF file, and this model is a folder.",
            where="model.weights",
            seen="stored",
            next_move="name a .gguf file, or set model.weights to dense",
        )
    return StoredWeights(tensors, dtype, device)
