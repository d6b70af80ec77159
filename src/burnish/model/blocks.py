"""GGUF's blocks → weights, in torch, on any device: the same float32 values, to the last bit, as the gguf library's.

A block is a run of values of one row with scales of its own. Layouts: ggml's `block_q4_0` to `block_q6_K`.

Names: n blocks, b bytes, R rows, B bytes a row, D values a row.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from torch import Tensor

CHUNK_VALUES = 1 << 20  # unpacked at a time: their float32 values are 4 MB, whatever the size of the matrix
PLAIN = {
    GGMLQuantizationType.F16: torch.float16,
    GGMLQuantizationType.BF16: torch.bfloat16,
    GGMLQuantizationType.F32: torch.float32,
}


def _halves(bytes_n_b: Tensor) -> Tensor:
    """(n, b / 2) float32 of float16 that lie in bytes."""
    return bytes_n_b.contiguous().view(torch.float16).float()


def _nibbles(bytes_n_b: Tensor) -> Tensor:
    """(n, 2, b): the lower halves of the bytes, then the upper ones."""
    return torch.stack((bytes_n_b & 15, bytes_n_b >> 4), 1)


def _bits(bytes_n_b: Tensor, width: int) -> Tensor:
    """(n, 8 / width, b): the groups of `width` bits of every byte, lowest first."""
    shifts = torch.arange(0, 8, width, dtype=torch.uint8, device=bytes_n_b.device)
    return (bytes_n_b[:, None] >> shifts[:, None]).bitwise_and_(2**width - 1)


def _fifth_bits(bytes_n_4: Tensor) -> Tensor:
    """(n, 32): 16 or 0 by each bit of a number of 32 bits, lowest first; looked up for a byte at a time."""
    every = torch.arange(256, dtype=torch.uint8, device=bytes_n_4.device)
    table_256 = (_bits(every[:, None], 1)[..., 0] << 4).contiguous().view(torch.int64)[:, 0]
    return table_256.index_select(0, bytes_n_4.flatten().int()).view(torch.uint8).view(-1, 32)


def _q4_0(blocks: Tensor) -> Tensor:
    return _nibbles(blocks[:, 2:]).flatten(1).float().sub_(8).mul_(_halves(blocks[:, :2]))


def _q4_1(blocks: Tensor) -> Tensor:
    scales = _halves(blocks[:, :4])
    return _nibbles(blocks[:, 4:]).flatten(1).float().mul_(scales[:, :1]).add_(scales[:, 1:])


def _q5_0(blocks: Tensor) -> Tensor:
    whole = _nibbles(blocks[:, 6:]).flatten(1) | _fifth_bits(blocks[:, 2:6])
    return whole.float().sub_(16).mul_(_halves(blocks[:, :2]))


def _q5_1(blocks: Tensor) -> Tensor:
    scales = _halves(blocks[:, :4])
    whole = _nibbles(blocks[:, 8:]).flatten(1) | _fifth_bits(blocks[:, 4:8])
    return whole.float().mul_(scales[:, :1]).add_(scales[:, 1:])


def _q8_0(blocks: Tensor) -> Tensor:
    return blocks[:, 2:].view(torch.int8).float().mul_(_halves(blocks[:, :2]))


def _k_scales(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and offset of the 8 runs of 32 values, (n, 8, 1) each: 6 bits in 12 bytes, times the block's own two."""
    both = _halves(blocks[:, :4])
    first, second, rest = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scale = torch.cat((first & 63, (rest & 15) | ((first >> 2) & 48)), 1)
    offset = torch.cat((second & 63, (rest >> 4) | ((second >> 2) & 48)), 1)
    return (both[:, :1] * scale.float())[..., None], (both[:, 1:] * offset.float())[..., None]


def _runs(bytes_n_128: Tensor) -> Tensor:
    """(n, 8, 32): the nibbles of four groups of 32 bytes, of each group the lower ones first."""
    return _nibbles(bytes_n_128.reshape(-1, 32)).view(-1, 8, 32)


def _q4_k(blocks: Tensor) -> Tensor:
    scale, offset = _k_scales(blocks)
    return _runs(blocks[:, 16:]).float().mul_(scale).sub_(offset).flatten(1)


def _q5_k(blocks: Tensor) -> Tensor:
    scale, offset = _k_scales(blocks)
    whole = _runs(blocks[:, 48:]) | (_bits(blocks[:, 16:48], 1) << 4)
    return whole.float().mul_(scale).sub_(offset).flatten(1)


def _q6_k(blocks: Tensor) -> Tensor:
    lower = _nibbles(blocks[:, :128].reshape(-1, 64)).view(-1, 16, 16)
    upper = _bits(blocks[:, 128:192].reshape(-1, 32), 2).view(-1, 16, 16)
    scale = blocks[:, 192:208].view(torch.int8).float().mul_(_halves(blocks[:, 208:]))
    return (lower | (upper << 4)).float().sub_(32).mul_(scale[..., None]).flatten(1)


UNPACK: dict[GGMLQuantizationType, Callable[[Tensor], Tensor]] = {
    GGMLQuantizationType.Q4_0: _q4_0,
    GGMLQuantizationType.Q4_1: _q4_1,
    GGMLQuantizationType.Q5_0: _q5_0,
    GGMLQuantizationType.Q5_1: _q5_1,
    GGMLQuantizationType.Q8_0: _q8_0,
    GGMLQuantizationType.Q4_K: _q4_k,
    GGMLQuantizationType.Q5_K: _q5_k,
    GGMLQuantizationType.Q6_K: _q6_k,
}


def unpacked(stored_R_B: Tensor, kind: GGMLQuantizationType, dtype: torch.dtype) -> Tensor:
    """(R, D): the weights of rows of uint8 as a GGUF file holds them, rounded once from float32 to `dtype`."""
    if kind in PLAIN:
        plain = stored_R_B.view(PLAIN[kind])
        return plain if plain.dtype == dtype else plain.float().to(dtype)  # between the two halves this way is quicker
    block_values, block_bytes = GGML_QUANT_SIZES[kind]
    rows, row_bytes = stored_R_B.shape
    width = row_bytes // block_bytes * block_values
    weight_R_D = torch.empty(rows, width, dtype=dtype, device=stored_R_B.device)
    step = max(1, CHUNK_VALUES // width)
    for start in range(0, rows, step):
        some = stored_R_B[start : start + step]
        weight_R_D[start : start + step] = UNPACK[kind](some.reshape(-1, block_bytes)).view(len(some), width)
    return weight_R_D
