"""Weights in safetensors, and the index of their shards, as nobody should write them."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.bad_inputs.case import Case, Limits, Made, Refused, good_model
from tests.bad_inputs.ggufs import open_model

FILE, INDEX = "model.safetensors", "model.safetensors.index.json"
HEADER = Limits(seconds=10, grown_bytes=256 << 20)


def model_copy(folder: Path) -> Path:
    """The tiny model in the folder of a case, to be damaged."""
    return Path(shutil.copytree(good_model(folder), folder / "model"))


def split(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and data of a safetensors file."""
    length = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def joined(header: bytes, data: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


Change = Callable[[dict[str, Any], bytes], tuple[bytes, bytes]]


def damaged(change: Callable[[bytes], bytes], words: list[str], folder: Path, rng: Random) -> Made:
    """The bytes of the file changed."""
    model = model_copy(folder)
    path = model / FILE
    path.write_bytes(change(path.read_bytes()))
    return Made("", Refused(words, 2), call=partial(open_model, model), limits=HEADER)


def in_header(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def run(raw: bytes) -> bytes:
        header, data = split(raw)
        change(header)
        return joined(json.dumps(header).encode(), data)

    return run


NORM = "model.norm.weight"
EMBED = "model.embed_tokens.weight"


def with_text(header: bytes, data: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda raw: joined(header, data)


def twice(raw: bytes) -> bytes:
    header, data = split(raw)
    entry = json.dumps({NORM: header[NORM]})[1:-1]
    return joined(f"{{{entry}, {json.dumps(header)[1:]}".encode(), data)


def not_finite(raw: bytes) -> bytes:
    header, data = split(raw)
    start, _ = header[NORM]["data_offsets"]
    return joined(json.dumps(header).encode(), data[:start] + struct.pack("<f", float("nan")) + data[start + 4 :])


def shorter(header: dict[str, Any]) -> None:
    header[NORM]["shape"] = [32]


def renamed(header: dict[str, Any]) -> None:
    header["model.norm.other"] = header.pop(NORM)


def swapped(header: dict[str, Any]) -> None:
    header[EMBED]["shape"] = header[EMBED]["shape"][::-1]


def overlapping(header: dict[str, Any]) -> None:
    header[NORM]["data_offsets"] = [0, 256]


def outside(header: dict[str, Any]) -> None:
    header[NORM]["data_offsets"] = [1 << 40, (1 << 40) + 256]


def backwards(header: dict[str, Any]) -> None:
    header[NORM]["data_offsets"] = header[NORM]["data_offsets"][::-1]


BYTES: Mapping[str, tuple[Callable[[bytes], bytes], list[str]]] = {
    "no bytes": (lambda raw: b"", ["damaged"]),
    "seven bytes": (lambda raw: raw[:7], ["damaged"]),
    "a header of 2^63 bytes": (lambda raw: joined(b"{}", b"", 1 << 63), ["damaged"]),
    "a header longer than the file": (lambda raw: joined(b"{}", b"", 1 << 20), ["damaged"]),
    "a header that is no JSON": (with_text(b"{not json}"), ["damaged"]),
    "a header that is a list": (with_text(b"[]"), ["damaged"]),
    "a header of 100,000 brackets": (with_text(b'{"a":' + b"[" * 100_000), ["damaged"]),
    "a header that is not UTF-8": (with_text(b'{"\xff": 1}'), ["damaged"]),
    "no tensors": (with_text(b"{}"), ["missing"]),
    "half of its data": (lambda raw: raw[: len(raw) // 2], ["damaged"]),
    "bytes behind its end": (lambda raw: raw + b"more", ["damaged"]),
    "a tensor twice": (twice, ["twice"]),
    "NaN": (not_finite, ["NaN"]),
    "a shape that does not fit its bytes": (in_header(shorter), ["damaged"]),
    "a shape turned round": (in_header(swapped), ["wrong shape"]),
    "a tensor under another name": (in_header(renamed), ["missing"]),
    "tensors in one place": (in_header(overlapping), ["damaged"]),
    "a tensor far outside": (in_header(outside), ["damaged"]),
    "an end before its beginning": (in_header(backwards), ["damaged"]),
    "a type that does not exist": (in_header(lambda header: header[NORM].update(dtype="F7")), ["damaged"]),
    "whole numbers as weights": (in_header(lambda header: header[NORM].update(dtype="I32")), ["whole numbers"]),
    "a negative dimension": (in_header(lambda header: header[NORM].update(shape=[-64])), ["damaged"]),
    "dimensions whose product overflows": (
        in_header(lambda header: header[NORM].update(shape=[1 << 62, 1 << 62])),
        ["damaged"],
    ),
}


def indexed(weight_map: Any, words: list[str], folder: Path, rng: Random) -> Made:
    """The weights behind an index that says this."""
    model = model_copy(folder)
    (model / FILE).rename(model / "part.safetensors")
    (folder / "outside.safetensors").write_bytes((model / "part.safetensors").read_bytes())
    (model / INDEX).write_text(weight_map if isinstance(weight_map, str) else json.dumps({"weight_map": weight_map}))
    return Made("", Refused(words, 2), call=partial(open_model, model))


MAPS: Mapping[str, tuple[Any, list[str]]] = {
    "a file in the folder above": ({"a": "../outside.safetensors"}, ["elsewhere"]),
    "an absolute path": ({"a": "/etc/passwd"}, ["elsewhere"]),
    "a path with a zero byte": ({"a": "part\0.safetensors"}, ["part"]),
    "a shard that is not there": ({"a": "gone.safetensors"}, ["missing"]),
    "a pickle as a shard": ({"a": "pytorch_model.bin"}, ["elsewhere"]),
    "numbers for names": ({"a": 7}, ["empty"]),
    "an index nested 100,000 deep": ("[" * 100_000, ["cannot be read"]),
}
CASES = (
    *(Case(f"safetensors with {what}", partial(damaged, *case)) for what, case in BYTES.items()),
    *(Case(f"an index of shards with {what}", partial(indexed, *case)) for what, case in MAPS.items()),
)
