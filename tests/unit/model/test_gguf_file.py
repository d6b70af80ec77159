"""The reader of GGUF headers: right on good files, quick and small on hostile ones."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize

from burnish.core.errors import ModelError
from burnish.model.gguf_file import read_gguf

UINT32, STRING, ARRAY, BOOL = GGUFValueType.UINT32, GGUFValueType.STRING, GGUFValueType.ARRAY, GGUFValueType.BOOL
F32, Q8_0 = GGMLQuantizationType.F32, GGMLQuantizationType.Q8_0


def number(value: int) -> bytes:
    return struct.pack("<Q", value)


def short(value: int) -> bytes:
    return struct.pack("<I", value)


def text(value: bytes) -> bytes:
    return number(len(value)) + value


def header(
    values: list[bytes], tensors: list[bytes], *, version: int = 3, counts: tuple[int, int] | None = None
) -> bytes:
    tensor_count, value_count = counts or (len(tensors), len(values))
    return b"GGUF" + short(version) + number(tensor_count) + number(value_count) + b"".join(values + tensors)


def value(key: bytes, kind: int, content: bytes) -> bytes:
    return text(key) + short(kind) + content


def tensor(name: bytes, shape: tuple[int, ...], kind: int = F32, offset: int = 0) -> bytes:
    return text(name) + short(len(shape)) + b"".join(map(number, shape)) + short(kind) + number(offset)


def padded(content: bytes, alignment: int = 32) -> bytes:
    return content + bytes(-len(content) % alignment)


GOOD = padded(
    header(
        [
            value(b"general.architecture", STRING, text(b"llama")),
            value(b"a.flag", BOOL, b"\x01"),
            value(b"a.words", ARRAY, short(STRING) + number(3) + text(b"a") + text("é".encode()) + text(b"")),
            value(b"a.numbers", ARRAY, short(UINT32) + number(2) + short(7) + short(8)),
        ],
        [tensor(b"w", (4, 2)), tensor(b"v", (2,), offset=32)],
    )
)
DATA = np.arange(8, dtype="<f4").tobytes() + padded(np.array([5, 6], "<f4").tobytes())


def test_values_and_tensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "good.gguf"
    path.write_bytes(GOOD + DATA)
    file = read_gguf(path)
    assert file.metadata == {
        "general.architecture": "llama",
        "a.flag": True,
        "a.words": ["a", "é", ""],
        "a.numbers": [7, 8],
    }
    assert file.kinds["a.words"] == (ARRAY, STRING)
    assert file.kinds["a.flag"] == (BOOL, None)
    assert file.tensors["w"].shape == (2, 4)  # GGUF lists the dimension that lies together first, torch last
    assert file.array("w").tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert file.array("v").tolist() == [5, 6]


@pytest.mark.parametrize("rows", [3, 20, 48])  # by itself, by 4, by 8: how many are read as one
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_each_type_is_read_as_the_gguf_package_wrote_it(tmp_path: Path, kind: str, rows: int) -> None:
    written = np.random.default_rng(0).standard_normal((rows, 64)).astype(np.float32)
    stored = quantize(written, GGMLQuantizationType[kind])
    writer = GGUFWriter(tmp_path / "q.gguf", "llama")
    writer.add_tensor("w", stored, raw_dtype=GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    read = read_gguf(tmp_path / "q.gguf").array("w")
    assert read.shape == (rows, 64)
    np.testing.assert_array_equal(read.astype(np.float32), dequantize(stored, GGMLQuantizationType[kind]))
    # The step of 4 bits over a block's range, about 6 deviations wide: 6 / 15, half of which is the largest error.
    np.testing.assert_allclose(read, written, atol={"F32": 0, "F16": 2e-3, "BF16": 2e-2}.get(kind, 0.3))


def test_a_type_that_cannot_be_read_names_tensor_and_type(tmp_path: Path) -> None:
    path = tmp_path / "iq.gguf"
    size = 256  # a block of IQ2_XXS holds 256 values in 66 bytes
    path.write_bytes(padded(header([], [tensor(b"blk.0.w", (size,), GGMLQuantizationType.IQ2_XXS)])) + bytes(96))
    file = read_gguf(path)
    with pytest.raises(ModelError, match=r"blk\.0\.w is stored as IQ2_XXS"):
        file.array("blk.0.w")


HUGE = 1 << 40
HOSTILE = {
    "empty": b"",
    "not gguf": b"PK\x03\x04" + bytes(60),
    "only the magic": b"GGUF",
    "version 1": header([], [], version=1),
    "version 99": header([], [], version=99),
    "big endian": b"GGUF" + (3).to_bytes(4, "big") + bytes(16),
    "2^40 values": header([], [], counts=(0, HUGE)),
    "2^64 - 1 values": header([], [], counts=(0, (1 << 64) - 1)),
    "2^40 tensors": header([], [], counts=(HUGE, 0)),
    "key of 2^63 bytes": header([number(1 << 63) + b"k"], []),
    "key longer than the limit": header([value(b"k" * 70_000, BOOL, b"\1")], []),
    "string of 2^40 bytes": header([value(b"k", STRING, number(HUGE) + b"x")], []),
    "array of 2^40 numbers": header([value(b"k", ARRAY, short(UINT32) + number(HUGE) + bytes(64))], []),
    "array of 2^40 strings": header([value(b"k", ARRAY, short(STRING) + number(HUGE) + bytes(64))], []),
    "item of 2^40 bytes": header([value(b"k", ARRAY, short(STRING) + number(2) + text(b"a") + number(HUGE))], []),
    "array of arrays": header([value(b"k", ARRAY, short(ARRAY) + number(1) + short(ARRAY) + number(1))], []),
    "unknown type of value": header([value(b"k", 77, bytes(8))], []),
    "unknown type of item": header([value(b"k", ARRAY, short(77) + number(1) + bytes(8))], []),
    "flag of 2": header([value(b"k", BOOL, b"\2")], []),
    "key twice": header([value(b"k", BOOL, b"\1"), value(b"k", BOOL, b"\0")], []),
    "key not UTF-8": header([value(b"\xff\xfe", BOOL, b"\1")], []),
    "string not UTF-8": header([value(b"k", STRING, text(b"\xc3\x28"))], []),
    "alignment 0": header([value(b"general.alignment", UINT32, short(0))], []),
    "alignment 3": header([value(b"general.alignment", UINT32, short(3))], []),
    "alignment 2^31": header([value(b"general.alignment", UINT32, short(1 << 31))], []),
    "alignment is text": header([value(b"general.alignment", STRING, text(b"32"))], []),
    "tensor twice": header([], [tensor(b"w", (1,)), tensor(b"w", (1,))]) + bytes(99),
    "name of 2^40 bytes": header([], [number(HUGE) + bytes(40)]),
    "name too long": header([], [tensor(b"w" * 200, (1,))]) + bytes(99),
    "no dimensions": header([], [tensor(b"w", ())]) + bytes(99),
    "five dimensions": header([], [tensor(b"w", (1, 1, 1, 1, 1))]) + bytes(99),
    "2^31 dimensions": header([], [text(b"w") + short(1 << 31) + bytes(40)]),
    "dimension 0": header([], [tensor(b"w", (4, 0))]) + bytes(99),
    "product over 2^64": header([], [tensor(b"w", (1 << 62, 1 << 62, 1 << 62, 4))]) + bytes(99),
    "unknown type of tensor": header([], [tensor(b"w", (1,), 250)]) + bytes(99),
    "rows not whole blocks": header([], [tensor(b"w", (33,), Q8_0)]) + bytes(99),
    "offset past the end": header([], [tensor(b"w", (1,), offset=HUGE)]) + bytes(99),
    "offset not aligned": header([], [tensor(b"w", (1,), offset=4)]) + bytes(99),
    "data cut short": GOOD + DATA[:39],
    "tensors overlap": padded(header([], [tensor(b"w", (16,)), tensor(b"v", (1,), offset=32)])) + bytes(99),
}  # fmt: skip


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_header_is_refused_quickly_and_in_little_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(HOSTILE[name])
    seconds = []
    for _ in range(3):  # the best of three: other work on the machine must not fail the test
        start = time.perf_counter()
        with pytest.raises(ModelError):
            read_gguf(path)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05
    tracemalloc.start()
    with pytest.raises(ModelError):
        read_gguf(path)
    assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    tracemalloc.stop()


def test_a_file_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    whole = GOOD + np.arange(8, dtype="<f4").tobytes() + np.array([5, 6], "<f4").tobytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_gguf(path)


def test_no_changed_byte_lets_another_error_out(tmp_path: Path) -> None:
    path, draw = tmp_path / "changed.gguf", random.Random(0)
    for _ in range(600):
        changed = bytearray(GOOD + DATA)
        for _ in range(draw.randint(1, 4)):
            changed[draw.randrange(4, len(GOOD))] = draw.choice([0, 1, 127, 128, 255, draw.randrange(256)])
        path.write_bytes(changed)
        try:
            file = read_gguf(path)
            for name in file.tensors:
                file.array(name)
        except ModelError:
            pass


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_gguf(tmp_path / "absent.gguf")
    with pytest.raises(ModelError, match="cannot be read"):
        read_gguf(tmp_path)
