"""Projections of a frozen base kept in 4 or 8 bits: NF4 and FP4 with double quantisation through bitsandbytes (QLoRA,
arXiv 2305.14314), int8 by rows. What is kept is made dense in each direction of each pass, and forgotten again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from burnish.core.errors import MissingTool, ModelError
from burnish.core.hardware import return_free_memory
from burnish.model.fetching import nothing_fetched
from burnish.model.frozen import frozen_product

FewBits: TypeAlias = Literal["nf4", "fp4", "int8"]
BLOCK = 64  # weights that share one scale, as in the paper


class Kept(Protocol):
    """A matrix in few bits."""

    @property
    def shape(self) -> torch.Size: ...

    def dense(self, dtype: torch.dtype) -> Tensor: ...


@dataclass(frozen=True)
class FourBits:
    """Blocks of 64 weights: a code of 4 bits each and a scale of 8 bits, whose own scales are float32, one for 256:
    4.127 bits a weight."""

    codes: Tensor
    state: Any  # bitsandbytes' QuantState
    shape: torch.Size

    def dense(self, dtype: torch.dtype) -> Tensor:
        """(out, in). bitsandbytes multiplies in float32 and rounds once."""
        functional = bitsandbytes()
        wide = torch.float32 if dtype == torch.float64 else dtype
        kept = self.state
        state = functional.QuantState(
            absmax=kept.absmax, shape=kept.shape, code=kept.code, blocksize=kept.blocksize,
            quant_type=kept.quant_type, dtype=wide, offset=kept.offset, state2=kept.state2,
        )  # fmt: skip
        made: Tensor = functional.dequantize_4bit(self.codes, state)
        return made.view(self.shape).to(dtype)


@dataclass(frozen=True)
class Rows:
    """Each row as int8 and one float32 step, its largest / 127: what bitsandbytes' vectorwise int8 keeps too."""

    codes: Tensor
    step: Tensor  # (out, 1)
    shape: torch.Size

    def dense(self, dtype: torch.dtype) -> Tensor:
        """(out, in)."""
        return (self.codes * self.step).to(dtype)


class QuantisedLinear(nn.Module):
    """x Wᵀ + b with W kept in few bits. Nothing in it trains, and the dense weight is never kept for the way back."""

    bias: Tensor | None

    def __init__(self, kept: Kept, bias: Tensor | None) -> None:
        super().__init__()
        self.kept = kept
        self.register_buffer("bias", bias, persistent=False)
        self.out_features, self.in_features = kept.shape

    def dense(self, dtype: torch.dtype) -> Tensor:
        """(out, in): the weight in `dtype`, made anew at each call."""
        return self.kept.dense(dtype)

    def forward(self, x: Tensor) -> Tensor:
        return frozen_product(x, self.dense, self.bias)


def quantised(weight: Tensor, form: FewBits) -> Kept:
    """The nearest weights that `form` can hold, always from float32: whatever the run computes in, it is one base.

    Raises MissingTool: NF4 and FP4 need bitsandbytes.
    """
    wide = weight.float().contiguous()
    if form == "int8":
        largest = wide.abs().amax(1, keepdim=True)
        codes = torch.round(wide * (127 / torch.where(largest > 0, largest, 1))).to(torch.int8)
        return Rows(codes, largest * (1 / 127), weight.shape)
    # As one row: on a CPU bitsandbytes 0.50 reads rows that are no whole blocks with the scales of other blocks.
    wide = wide.view(-1)
    codes, state = bitsandbytes().quantize_4bit(wide, blocksize=BLOCK, compress_statistics=True, quant_type=form)
    return FourBits(codes, state, weight.shape)


def in_few_bits(
    tensors: Mapping[str, Tensor], form: FewBits, device: torch.device
) -> Callable[[str], nn.Module | None]:
    """Keeps every projection of a checkpoint in `form`, on `device`; for `packing.Packing`."""

    def pack(name: str) -> nn.Module | None:
        if f"{name}.weight" not in tensors:
            return None  # build_decoder names it
        weight = tensors[f"{name}.weight"]
        if weight.dim() != 2 or not torch.isfinite(weight.sum(dtype=torch.float32)):
            raise ModelError(f"The tensor {name}.weight is no matrix of numbers.", next_move="download the model again")
        bias = tensors.get(f"{name}.bias")
        made = QuantisedLinear(quantised(weight.to(device), form), None if bias is None else bias.to(device).clone())
        return_free_memory()  # else the allocator keeps every matrix in float32 that was between two small ones
        return made

    return pack


def bitsandbytes() -> ModuleType:
    """bitsandbytes.functional. Raises MissingTool: it is not installed, or not for this machine."""
    if (loaded := sys.modules.get("bitsandbytes.functional")) is not None:
        return loaded
    try:
        with nothing_fetched():
            import bitsandbytes.functional as functional
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingTool(
            "Weights in NF4 or FP4 need bitsandbytes.",
            where="model.weights",
            seen=str(error),
            next_move="pip install 'burnish[quant]', or set model.weights to int8, which needs nothing",
        ) from error
    module: ModuleType = functional
    return module
