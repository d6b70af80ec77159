"""Blocks of a GGUF file: unpacked in torch they hold the values that the gguf library says, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

from burnish.model.blocks import CHUNK_VALUES, PLAIN, UNPACK, unpacked
from burnish.model.gguf_file import READABLE

ROWS, WIDTH = 24, 512
SCALES = {"Q6_K": slice(208, 210), "Q4_0": slice(2), "Q5_0": slice(2), "Q8_0": slice(2)}  # others: two of them


def random_rows(kind: GGMLQuantizationType, rows: int = ROWS) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(rows, bytes a row): every byte at random, but for the scales, which must be numbers."""
    block_values, block_bytes = GGML_QUANT_SIZES[kind]
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (rows * WIDTH // block_values, block_bytes), dtype=np.uint8)
    scales = random.normal(size=(len(blocks), 2)).astype(np.float16).view(np.uint8)
    where = SCALES.get(kind.name, slice(4))
    blocks[:, where] = scales[:, : where.stop - (where.start or 0)]
    return blocks.reshape(rows, -1)


@pytest.mark.parametrize("kind", UNPACK, ids=lambda kind: kind.name)
def test_blocks_unpack_to_the_librarys_values_to_the_last_bit(kind: GGMLQuantizationType) -> None:
    rows = random_rows(kind)
    ours = unpacked(torch.from_numpy(rows), kind, torch.float32)
    assert ours.numpy().tobytes() == dequantize(rows, kind).tobytes()


@pytest.mark.parametrize("kind", UNPACK, ids=lambda kind: kind.name)
def test_in_bf16_they_are_those_values_rounded_once(kind: GGMLQuantizationType) -> None:
    rows = random_rows(kind)
    rounded = torch.from_numpy(dequantize(rows, kind)).bfloat16()
    assert torch.equal(unpacked(torch.from_numpy(rows), kind, torch.bfloat16), rounded)


def test_a_block_of_q4_1_by_hand() -> None:
    # scale 0.5, offset -1; the first byte 0xF2 holds 2 for value 0 and 15 for value 16
    block = np.concatenate([np.array([0.5, -1], np.float16).view(np.uint8), np.full(16, 0xF2, np.uint8)])
    found = unpacked(torch.from_numpy(block[None]), GGMLQuantizationType.Q4_1, torch.float32)[0]
    assert found.tolist() == [0.5 * 2 - 1] * 16 + [0.5 * 15 - 1] * 16


def test_all_types_that_can_be_read_can_be_unpacked() -> None:
    assert {*UNPACK, *PLAIN} == READABLE


def test_16_bit_weights_become_what_a_cast_makes_of_them() -> None:
    halves = torch.randn(3, 8).half()
    bytes_R_B = halves.view(torch.uint8)
    assert torch.equal(unpacked(bytes_R_B, GGMLQuantizationType.F16, torch.bfloat16), halves.bfloat16())


def test_a_matrix_larger_than_one_chunk_is_whole() -> None:
    rows = random_rows(GGMLQuantizationType.Q8_0, rows=CHUNK_VALUES // WIDTH + 3)
    ours = unpacked(torch.from_numpy(rows), GGMLQuantizationType.Q8_0, torch.float32)
    assert np.array_equal(ours.numpy(), dequantize(rows, GGMLQuantizationType.Q8_0))
