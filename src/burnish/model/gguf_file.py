"""A strict reader of GGUF files (version 2 and 3, little endian).

A model file from elsewhere is data, never trusted: each declared count, length and offset is checked against the bytes
that are there before anything is read or allocated by it. Format: the `gguf` specification of the ggml project.
"""

from __future__ import annotations

import itertools
import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from math import gcd, prod
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType
from gguf.quants import dequantize

from burnish.core.errors import ModelError

MAX_KEY_BYTES = 65_535
MAX_NAME_BYTES = 127
MAX_ALIGNMENT = 1 << 16
WIDER = 8  # rows that are read as one where their number allows it
READABLE = frozenset(
    GGMLQuantizationType[name]
    for name in ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K")
)
NUMBERS: dict[GGUFValueType, np.dtype[Any]] = {
    GGUFValueType.UINT8: np.dtype("<u1"),
    GGUFValueType.INT8: np.dtype("<i1"),
    GGUFValueType.UINT16: np.dtype("<u2"),
    GGUFValueType.INT16: np.dtype("<i2"),
    GGUFValueType.UINT32: np.dtype("<u4"),
    GGUFValueType.INT32: np.dtype("<i4"),
    GGUFValueType.FLOAT32: np.dtype("<f4"),
    GGUFValueType.UINT64: np.dtype("<u8"),
    GGUFValueType.INT64: np.dtype("<i8"),
    GGUFValueType.FLOAT64: np.dtype("<f8"),
    GGUFValueType.BOOL: np.dtype("<u1"),
}
LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class GGUFTensor:
    """Where one tensor lies. `shape` is in torch's order: the dimension that lies together in memory is the last."""

    name: str
    shape: tuple[int, ...]
    type: GGMLQuantizationType
    offset: int  # bytes from the start of the file
    size_bytes: int


@dataclass(frozen=True)
class GGUFFile:
    """The header of a file. `kinds` holds each value's type, and for an array its items' type, for writing it again."""

    path: Path
    metadata: dict[str, Any]
    kinds: dict[str, tuple[GGUFValueType, GGUFValueType | None]]
    tensors: dict[str, GGUFTensor]

    def raw(self, name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The stored bytes of a tensor, mapped and not read: (..., bytes a row)."""
        tensor = self.tensors[name]
        rows = tensor.shape[:-1]
        shape = (*rows, tensor.size_bytes // prod(rows))
        # As a plain array: each slice of a memmap object pays for being a memmap again.
        return np.asarray(np.memmap(self.path, np.uint8, mode="r", offset=tensor.offset, shape=shape))

    def array(self, name: str) -> np.ndarray[Any, np.dtype[Any]]:
        """A tensor's values: float16 and float32 as they are stored (mapped), all other types as float32.

        Raises ModelError: the tensor is of a type that Burnish cannot read.
        """
        tensor, raw = self.tensors[name], self.checked_raw(name)
        if tensor.type in (GGMLQuantizationType.F32, GGMLQuantizationType.F16):
            return raw.view("<f4" if tensor.type is GGMLQuantizationType.F32 else "<f2")
        # The library takes 16 rows at a time, and a block does not know its row: in wide rows it is twice as quick.
        rows = gcd(raw.size // raw.shape[-1], WIDER)
        values: np.ndarray[Any, np.dtype[Any]] = dequantize(raw.reshape(-1, rows * raw.shape[-1]), tensor.type)
        return values.reshape(tensor.shape)

    def checked_raw(self, name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The stored bytes of a tensor of a known type, as `raw`.

        Raises ModelError: the tensor is of a type that Burnish cannot read.
        """
        tensor = self.tensors[name]
        if tensor.type not in READABLE:
            known = ", ".join(sorted(kind.name for kind in READABLE))
            raise ModelError(
                f"The tensor {name} is stored as {tensor.type.name}, which Burnish cannot read.",
                where=str(self.path),
                seen=tensor.type.name,
                next_move=f"use a file of the same model whose tensors are among {known}",
            )
        return self.raw(name)


@dataclass
class _Cursor:
    """A position in the mapped file. Every read asks first whether the bytes are there."""

    path: Path
    data: mmap.mmap
    at: int = 0
    names: set[str] = field(default_factory=set)

    def damaged(self, what: str, seen: object = "") -> ModelError:
        return ModelError(
            f"The GGUF file is damaged: {what}.",
            where=f"{self.path} byte {self.at}",
            seen=str(seen)[:80],
            next_move="download the file again, or use another one",
        )

    def need(self, count: int, bytes_each: int, what: str) -> None:
        if count * bytes_each > len(self.data) - self.at:
            raise self.damaged(f"{what} is longer than the rest of the file", count)

    def numbers(self, kind: GGUFValueType, count: int, what: str) -> np.ndarray[Any, np.dtype[Any]]:
        dtype = NUMBERS[kind]
        self.need(count, dtype.itemsize, what)
        # A copy: a view would keep the map open for as long as the metadata lives.
        values = np.frombuffer(self.data, dtype, count, self.at).copy()
        self.at += count * dtype.itemsize
        if kind is GGUFValueType.BOOL:
            if values.size and values.max() > 1:
                raise self.damaged(f"{what} is neither true nor false", values.max())
            return values.astype(bool)
        return values

    def integer(self, kind: GGUFValueType, what: str) -> int:
        return int(self.numbers(kind, 1, what)[0])

    def text(self, what: str, limit: int | None = None) -> str:
        length = self.integer(GGUFValueType.UINT64, what)
        if limit is not None and length > limit:
            raise self.damaged(f"{what} is longer than {limit} bytes", length)
        self.need(length, 1, what)
        start, self.at = self.at, self.at + length
        return self._decoded(start, self.at, what)

    def texts(self, count: int, what: str) -> list[str]:
        """Many strings: a quarter of a million tokens must not take long, hence no call a string."""
        self.need(count, LENGTH.size, what)
        data, at, end, unpack = self.data, self.at, len(self.data), LENGTH.unpack_from
        found: list[str] = []
        for _ in range(count):
            start = at + 8
            if start > end or (at := start + unpack(data, start - 8)[0]) > end:
                raise self.damaged(f"{what} is longer than the rest of the file", count)
            found.append(self._decoded(start, at, what))
        self.at = at
        return found

    def _decoded(self, start: int, end: int, what: str) -> str:
        try:
            return self.data[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.damaged(f"{what} is not UTF-8", error.reason) from error


def read_gguf(path: Path) -> GGUFFile:
    """Reads the header of a GGUF file; tensors stay on disk until they are asked for.

    Raises ModelError: the file is absent, not GGUF, of an unknown version, or its header contradicts itself.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError("This is not a GGUF file.", where=str(path), next_move="check the path")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise ModelError("There is no such file.", where=str(path), next_move="check the path") from error
    except OSError as error:
        raise ModelError("The GGUF file cannot be read.", where=str(path), seen=str(error)) from error
    with mapped:
        return _header(_Cursor(path, mapped, at=4))


def _header(cursor: _Cursor) -> GGUFFile:
    version = cursor.integer(GGUFValueType.UINT32, "the version")
    if version not in (2, 3):
        big_endian = version.to_bytes(4, "little")[:2] == b"\0\0" and version > 0
        raise ModelError(
            "Big-endian GGUF files cannot be read." if big_endian else "This version of GGUF cannot be read.",
            where=str(cursor.path),
            seen=f"version {version}",
            next_move="use a little-endian file of version 2 or 3",
        )
    tensor_count = cursor.integer(GGUFValueType.UINT64, "the number of tensors")
    value_count = cursor.integer(GGUFValueType.UINT64, "the number of values")
    cursor.need(value_count, 13, "the list of values")  # the least value: 8 of key length, 4 of type, 1 of content
    metadata: dict[str, Any] = {}
    kinds: dict[str, tuple[GGUFValueType, GGUFValueType | None]] = {}
    for _ in range(value_count):
        key = cursor.text("a key", MAX_KEY_BYTES)
        if key in metadata:
            raise cursor.damaged("a key stands twice", key)
        metadata[key], kinds[key] = _value(cursor, key)
    cursor.need(tensor_count, 32, "the list of tensors")  # the least entry: name, rank, one dimension, type, offset
    entries = [_tensor_entry(cursor) for _ in range(tensor_count)]
    return GGUFFile(cursor.path, metadata, kinds, _placed(cursor, entries, _alignment(cursor, metadata, kinds)))


def _value(cursor: _Cursor, key: str) -> tuple[Any, tuple[GGUFValueType, GGUFValueType | None]]:
    kind = _value_type(cursor, key)
    if kind is GGUFValueType.STRING:
        return cursor.text(key), (kind, None)
    if kind is not GGUFValueType.ARRAY:
        return cursor.numbers(kind, 1, key)[0].item(), (kind, None)
    item_kind = _value_type(cursor, key)
    count = cursor.integer(GGUFValueType.UINT64, key)
    if item_kind is GGUFValueType.ARRAY:
        raise cursor.damaged("an array within an array", key)
    if item_kind is GGUFValueType.STRING:
        return cursor.texts(count, key), (kind, item_kind)
    return cursor.numbers(item_kind, count, key).tolist(), (kind, item_kind)


def _value_type(cursor: _Cursor, key: str) -> GGUFValueType:
    return _known(cursor, GGUFValueType, f"the type of {key[:60]}")


def _known(cursor: _Cursor, kinds: Callable[[int], Any], what: str) -> Any:
    number = cursor.integer(GGUFValueType.UINT32, what)
    try:
        return kinds(number)
    except ValueError as error:
        raise cursor.damaged(f"{what} is unknown", number) from error


def _tensor_entry(cursor: _Cursor) -> tuple[str, tuple[int, ...], GGMLQuantizationType, int]:
    """Name, shape in torch's order, type, and offset within the data."""
    name = cursor.text("a tensor's name", MAX_NAME_BYTES)
    if name in cursor.names:
        raise cursor.damaged("a tensor stands twice", name)
    cursor.names.add(name)
    rank = cursor.integer(GGUFValueType.UINT32, f"the rank of {name}")
    if not 1 <= rank <= 4:
        raise cursor.damaged(f"{name} has no usable shape", f"{rank} dimensions")
    shape = tuple(int(size) for size in cursor.numbers(GGUFValueType.UINT64, rank, f"the shape of {name}")[::-1])
    if min(shape) < 1:
        raise cursor.damaged(f"{name} has an empty dimension", shape)
    kind = _known(cursor, GGMLQuantizationType, f"the type of {name}")
    return name, shape, kind, cursor.integer(GGUFValueType.UINT64, f"the offset of {name}")


def _alignment(
    cursor: _Cursor, metadata: dict[str, Any], kinds: dict[str, tuple[GGUFValueType, GGUFValueType | None]]
) -> int:
    alignment = metadata.get("general.alignment", 32)
    integer = kinds.get("general.alignment", (GGUFValueType.UINT32, None))[0] is GGUFValueType.UINT32
    if not integer or not 1 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise cursor.damaged("the alignment is not a power of two", alignment)
    return int(alignment)


def _placed(
    cursor: _Cursor, entries: list[tuple[str, tuple[int, ...], GGMLQuantizationType, int]], alignment: int
) -> dict[str, GGUFTensor]:
    """Checks that each tensor lies within the file, on its alignment, and on no other."""
    start = -(-cursor.at // alignment) * alignment
    tensors: dict[str, GGUFTensor] = {}
    for name, shape, kind, offset in entries:
        block_values, block_bytes = GGML_QUANT_SIZES[kind]
        if shape[-1] % block_values:
            raise cursor.damaged(f"the rows of {name} are not whole blocks of {kind.name}", shape)
        size = prod(shape) // block_values * block_bytes
        if offset % alignment:
            raise cursor.damaged(f"the offset of {name} is not a multiple of {alignment}", offset)
        if start + offset + size > len(cursor.data):
            raise cursor.damaged(f"{name} ends after the file does; it may be cut short", f"{size} bytes at {offset}")
        tensors[name] = GGUFTensor(name, shape, kind, start + offset, size)
    ordered = sorted(tensors.values(), key=lambda tensor: tensor.offset)
    for one, next_one in itertools.pairwise(ordered):
        if one.offset + one.size_bytes > next_one.offset:
            raise cursor.damaged(f"{one.name} and {next_one.name} overlap", next_one.offset)
    return tensors
