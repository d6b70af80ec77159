"""GGUF files whose headers lie: about counts, lengths, types, places, and about the model that they hold."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch

from burnish.core.errors import ModelError
from burnish.model.checkpoint import read_checkpoint
from burnish.model.gguf_file import read_gguf
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer
from tests.bad_inputs.case import Case, Limits, Made, Refused, good_model

HEADER = Limits(seconds=0.05, grown_bytes=16 << 20)
U32, F32, BOOL, TEXT, ARRAY = 4, 6, 7, 8, 9
PACKED = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
HUGE = 1 << 40


def text(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def number(value: int) -> bytes:
    return struct.pack("<I", value)


def tensor(name: str, shape: Sequence[int], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


@dataclass(frozen=True)
class Header:
    """A file of one value and one tensor, sound as it stands."""

    version: int = 3
    tensors: tuple[bytes, ...] = (tensor("a", (4,)),)
    values: tuple[bytes, ...] = (pair("general.architecture", TEXT, text("llama")),)
    tensor_count: int | None = None
    value_count: int | None = None
    magic: bytes = b"GGUF"
    data: bytes = bytes(64)

    def written(self) -> bytes:
        counts = [self.tensor_count, self.value_count]
        known = [len(self.tensors), len(self.values)]
        numbers = [one if one is not None else other for one, other in zip(counts, known, strict=True)]
        head = self.magic + struct.pack("<IQQ", self.version, *numbers) + b"".join((*self.values, *self.tensors))
        return head + bytes(-len(head) % 32) + self.data


GOOD = Header()


def with_value(*values: bytes) -> Header:
    return replace(GOOD, values=(*GOOD.values, *values))


def with_tensor(*tensors: bytes) -> Header:
    return replace(GOOD, tensors=tensors)


def array(kind: int, count: int, content: bytes = b"") -> bytes:
    return pair("a", ARRAY, struct.pack("<IQ", kind, count) + content)


HEADERS: Mapping[str, Header] = {
    "more tensors than the file has bytes": replace(GOOD, tensor_count=HUGE),
    "more values than the file has bytes": replace(GOOD, value_count=HUGE),
    "counts of 2^64 - 1": replace(GOOD, tensor_count=(1 << 64) - 1, value_count=(1 << 64) - 1),
    "a key of 2^40 bytes": with_value(struct.pack("<Q", HUGE) + b"key"),
    "a text of 2^63 bytes": with_value(text("a") + struct.pack("<IQ", TEXT, 1 << 63)),
    "an array of 2^40 numbers": with_value(array(U32, HUGE)),
    "an array of 2^62 numbers, whose bytes overflow": with_value(array(10, 1 << 62)),
    "an array of 2^40 texts": with_value(array(TEXT, HUGE)),
    "an array whose last text is too long": with_value(array(TEXT, 2, text("b") + struct.pack("<Q", HUGE))),
    "an array within an array": with_value(array(ARRAY, 1, struct.pack("<IQ", ARRAY, 1) * 50)),
    "an array of a type that does not exist": with_value(array(99, 1)),
    "a value of a type that does not exist": with_value(pair("a", 99, b"")),
    "a truth of 2": with_value(pair("a", BOOL, b"\x02")),
    "a key twice": with_value(pair("general.architecture", TEXT, text("gemma3"))),
    "a key that is not UTF-8": with_value(struct.pack("<Q", 2) + b"\xff\xfe" + struct.pack("<I", U32) + number(1)),
    "a text that is not UTF-8": with_value(pair("a", TEXT, text(b"\xc3\x28"))),
    "an alignment of 0": with_value(pair("general.alignment", U32, number(0))),
    "an alignment of 2^31": with_value(pair("general.alignment", U32, number(1 << 31))),
    "an alignment of 33": with_value(pair("general.alignment", U32, number(33))),
    "an alignment that is a text": with_value(pair("general.alignment", TEXT, text("32"))),
    "a dimension of 0": with_tensor(tensor("a", (4, 0))),
    "dimensions whose product overflows": with_tensor(tensor("a", (1 << 32, 1 << 32, 4))),
    "a tensor without dimensions": with_tensor(tensor("a", ())),
    "a tensor of 5 dimensions": with_tensor(tensor("a", (1, 1, 1, 1, 4))),
    "a tensor of 4 billion dimensions": with_tensor(text("a") + struct.pack("<I", 0xFFFFFFFF)),
    "a tensor past the end of the file": with_tensor(tensor("a", (4,), offset=1 << 20)),
    "an offset that overflows": with_tensor(tensor("a", (4,), offset=(1 << 64) - 32)),
    "an offset off the alignment": with_tensor(tensor("a", (4,), offset=3)),
    "two tensors in one place": with_tensor(tensor("a", (4,)), tensor("b", (4,))),
    "a tensor twice": with_tensor(tensor("a", (4,)), tensor("a", (4,), offset=32)),
    "a name of a tensor that is too long": with_tensor(tensor("a" * 128, (4,))),
    "a type of weights that does not exist": with_tensor(tensor("a", (4,), kind=77)),
    "rows that are no whole blocks": with_tensor(tensor("a", (33,), kind=8)),
    "a version from the future": replace(GOOD, version=9),
    "the byte order of another machine": replace(GOOD, version=3 << 24),
    "another kind of file": replace(GOOD, magic=b"PK\x03\x04"),
}


def header(content: Header, folder: Path, rng: Random) -> Made:
    path = folder / "model.gguf"
    path.write_bytes(content.written())
    return Made("", Refused(["GGUF"], 2), call=partial(read_gguf, path), limits=HEADER)


def cut_everywhere(folder: Path, rng: Random) -> Made:
    """The file cut at each of its bytes, all beside each other."""
    whole = GOOD.written()
    for length in range(len(whole) - 48):  # of the data 16 bytes are the tensor's
        (folder / f"{length}.gguf").write_bytes(whole[:length])
    return Made("", Refused(["GGUF"], 2), call=partial(read_all, folder))


def read_all(folder: Path) -> None:
    """Each is refused."""
    refused = []
    for path in sorted(folder.glob("*.gguf")):
        try:
            read_gguf(path)
        except ModelError as error:
            refused.append(error)
        else:
            raise AssertionError(f"{path.name} is read")
    raise refused[-1]


def rewritten(change: Callable[[dict[str, Any]], None], folder: Path, rng: Random) -> Made:
    """The tiny model with other values in its header."""
    good = read_gguf(good_model(folder).with_suffix(".gguf"))
    values = dict(good.metadata)
    change(values)
    pairs = [pair(key, *packed(value, good.kinds[key])) for key, value in values.items()]
    start = min(one.offset for one in good.tensors.values())
    entries = [tensor(one.name, one.shape[::-1], one.type, one.offset - start) for one in good.tensors.values()]
    content = Header(tensors=tuple(entries), values=tuple(pairs), data=good.path.read_bytes()[start:])
    (folder / "model.gguf").write_bytes(content.written())
    return Made("", Refused([], 2), call=partial(open_model, folder / "model.gguf"))


def packed(value: Any, kinds: tuple[int, int | None]) -> tuple[int, bytes]:
    kind, inside = kinds
    if inside is None:
        return kind, text(value) if kind == TEXT else struct.pack(PACKED[kind], value)
    items = b"".join(text(one) if inside == TEXT else struct.pack(PACKED[inside], one) for one in value)
    return ARRAY, struct.pack("<IQ", inside, len(value)) + items


def open_model(path: Path) -> None:
    """All that a command does with a model before its first row."""
    checkpoint = read_checkpoint(path)
    build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    make_renderer(checkpoint.tokenizer, checkpoint.generation).text([])


VALUES: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "a thousand million layers": lambda values: values.update({"llama.block_count": 1_000_000_000}),
    "no heads": lambda values: values.update({"llama.attention.head_count": 0}),
    "fewer tokens than rows, and one twice": lambda values: values.update(
        {"tokenizer.ggml.tokens": values["tokenizer.ggml.tokens"][:-1]}
    ),
}
CASES = (
    *(Case(f"GGUF with {what}", partial(header, content)) for what, content in HEADERS.items()),
    Case("GGUF cut at each byte", cut_everywhere),
    *(Case(f"GGUF that declares {what}", partial(rewritten, change)) for what, change in VALUES.items()),
)
