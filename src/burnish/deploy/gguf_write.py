"""A GGUF file out of metadata and weights, written one tensor at a time so that only one is held in memory twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from gguf import GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType, LlamaFileType
from gguf.quants import quantize
from torch import Tensor

from burnish.core.errors import ModelError
from burnish.core.files import disk_errors
from burnish.model.config import DecoderConfig
from burnish.model.gguf_inverse import gguf_name, to_gguf

NumberFormat: TypeAlias = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
TYPES: dict[NumberFormat, GGMLQuantizationType] = {
    "f32": GGMLQuantizationType.F32,
    "f16": GGMLQuantizationType.F16,
    "bf16": GGMLQuantizationType.BF16,
    "q8_0": GGMLQuantizationType.Q8_0,
    "q5_1": GGMLQuantizationType.Q5_1,
    "q5_0": GGMLQuantizationType.Q5_0,
    "q4_1": GGMLQuantizationType.Q4_1,
    "q4_0": GGMLQuantizationType.Q4_0,
}
FILE_TYPES: dict[NumberFormat, LlamaFileType] = {
    "f32": LlamaFileType.ALL_F32,
    "f16": LlamaFileType.MOSTLY_F16,
    "bf16": LlamaFileType.MOSTLY_BF16,
    "q8_0": LlamaFileType.MOSTLY_Q8_0,
    "q5_1": LlamaFileType.MOSTLY_Q5_1,
    "q5_0": LlamaFileType.MOSTLY_Q5_0,
    "q4_1": LlamaFileType.MOSTLY_Q4_1,
    "q4_0": LlamaFileType.MOSTLY_Q4_0,
}
# Four or five bits in the table that every token passes through cost more than they save.
KEPT_AT_EIGHT_BITS = ("token_embd.weight", "output.weight")
WIDE = (
    GGMLQuantizationType.F32,
    GGMLQuantizationType.BF16,
)  # hold numbers of any size; the scales of blocks are float16
QUANTIZATION_VERSION = 2  # of the block layouts, as gguf.quants writes them


@dataclass(frozen=True)
class Value:
    """One value of a file's metadata; an array also names the type of its items."""

    value: Any
    kind: GGUFValueType
    item_kind: GGUFValueType | None = None


Metadata: TypeAlias = Mapping[str, Value]


def write_gguf(
    path: Path,
    metadata: Metadata,
    tensors: Mapping[str, Tensor],
    config: DecoderConfig,
    number_format: NumberFormat,
    frequencies: np.ndarray[Any, np.dtype[np.float32]] | None = None,
) -> None:
    """Writes weights that stand under transformers' names. `frequencies`: Llama 3's divisors of the rotary waves.

    Raises ModelError: a weight has no place in GGUF, or does not fit the number format.
    """
    named = {gguf_name(name, config.model_type): name for name in tensors}
    kinds = {new: tensor_type(new, tuple(tensors[old].shape), number_format) for new, old in named.items()}
    writer = GGUFWriter(None, metadata["general.architecture"].value)
    numbers = {
        "general.file_type": Value(int(FILE_TYPES[number_format]), GGUFValueType.UINT32),
        "general.quantization_version": Value(QUANTIZATION_VERSION, GGUFValueType.UINT32),
    }
    for key, value in {**metadata, **numbers}.items():
        if key != "general.architecture":  # the writer puts it first itself
            writer.add_key_value(key, value.value, value.kind, value.item_kind)
    if frequencies is not None:
        writer.add_tensor_info("rope_freqs.weight", frequencies.shape, np.dtype(np.float32), frequencies.nbytes)
    for new, old in named.items():
        _declare(writer, new, tuple(tensors[old].shape), kinds[new])
    with disk_errors(path):
        writer.write_header_to_file(path)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        if frequencies is not None:
            writer.write_tensor_data(frequencies)
        for new, old in named.items():
            writer.write_tensor_data(_encoded(to_gguf(tensors[old], old, config).numpy(), kinds[new], new))
        writer.close()


def tensor_type(name: str, shape: tuple[int, ...], number_format: NumberFormat) -> GGMLQuantizationType:
    """Vectors stay float32: they are few, and llama.cpp wants them so. Rows that are no whole blocks become float16."""
    kind = TYPES[number_format]
    if len(shape) == 1:
        return GGMLQuantizationType.F32
    if number_format in ("q5_1", "q5_0", "q4_1", "q4_0") and name in KEPT_AT_EIGHT_BITS:
        kind = GGMLQuantizationType.Q8_0
    return GGMLQuantizationType.F16 if shape[-1] % GGML_QUANT_SIZES[kind][0] else kind


def _declare(writer: GGUFWriter, name: str, shape: tuple[int, ...], kind: GGMLQuantizationType) -> None:
    block_values, block_bytes = GGML_QUANT_SIZES[kind]
    writer.add_tensor_info(name, shape, np.dtype(np.float32), prod(shape) // block_values * block_bytes, raw_dtype=kind)


def _encoded(
    values: np.ndarray[Any, np.dtype[np.float32]], kind: GGMLQuantizationType, name: str
) -> np.ndarray[Any, Any]:
    largest = float(np.abs(values).max())
    if kind not in WIDE and largest > np.finfo(np.float16).max:
        raise ModelError(
            f"The weight {name} is too large for {kind.name}.",
            seen=f"{largest:.3g}",
            next_move="export gguf-f32 instead",
        )
    return np.ascontiguousarray(quantize(np.ascontiguousarray(values), kind))
