"""The bytes of one file, decompressed piece by piece, hashed and counted as they pass."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from burnish.core.errors import DataError

PIECE_BYTES = 1 << 20
COMPRESSED_SUFFIXES = (".gz", ".zst", ".zstd")
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# 128 MiB of history: what `zstd` itself accepts unless told otherwise.
# Text is packed a hundred times at best; what unpacks to far more is a trap or damage.
MOST_TIMES, LEAST_BYTES = 1000, 256 << 20
ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 27}


class Stored(io.RawIOBase):
    """A file being read: `digest` and `size_bytes` are those of the bytes on disk that have passed so far."""

    def __init__(self, file: io.FileIO) -> None:
        super().__init__()
        self.file = file
        self.size_bytes = 0
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = self.file.readinto(buffer)
        self.digest.update(memoryview(buffer)[:count])
        self.size_bytes += count
        return count


@contextmanager
def opened(path: Path) -> Iterator[io.FileIO]:
    """A file open for reading. Raises DataError: it may not be read."""
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise DataError(
            "The file cannot be read.", where=str(path), seen=error.strerror or "", next_move="check its permissions"
        ) from error
    with file:
        yield file


def compression(path: Path) -> str:
    """ "gzip", "zstd" or "", by the first bytes."""
    with path.open("rb") as file:
        magic = file.read(4)
    return "gzip" if magic.startswith(GZIP_MAGIC) else "zstd" if magic == ZSTD_MAGIC else ""


def suffix_of(name: str) -> str:
    """ ".jsonl" of "Train.JSONL.gz"."""
    path = Path(name.lower())
    return Path(path.stem).suffix if path.suffix in COMPRESSED_SUFFIXES else path.suffix


def pieces(path: Path, stored: Stored) -> Iterator[bytes]:
    """The content of a file in pieces of 1 MiB, the last one shorter; `stored` then knows the whole file.

    Raises DataError: the compression is damaged, the file grows beyond all measure, or the disk fails.
    """
    try:
        packed = compression(path)
        if packed == "gzip":
            content: io.RawIOBase | io.BufferedIOBase = gzip.GzipFile(fileobj=stored)
        else:
            content = zstd.ZstdFile(stored, options=ZSTD_OPTIONS) if packed else stored
        unpacked_bytes = 0
        while piece := _filled(content):
            unpacked_bytes += len(piece)
            if unpacked_bytes > max(LEAST_BYTES, MOST_TIMES * stored.size_bytes):
                raise DataError(
                    f"The compressed file grows to more than {MOST_TIMES} times its size.",
                    where=str(path),
                    seen=f"{unpacked_bytes:,} bytes out of {stored.size_bytes:,} so far",
                    next_move="look at it; if it is what you want, unpack it yourself and name the unpacked file",
                )
            yield piece
        while stored.read(PIECE_BYTES):  # what stands after the end of the compressed data is hashed too
            pass
    except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
        raise DataError(
            "The compressed file is damaged.", where=str(path), seen=str(error), next_move="copy or download it again"
        ) from error
    except OSError as error:
        raise DataError("The file cannot be read.", where=str(path), seen=error.strerror or str(error)) from error


def _filled(content: io.RawIOBase | io.BufferedIOBase) -> bytes:
    """A whole piece, though decompressors give less at a time."""
    parts: list[bytes] = []
    missing = PIECE_BYTES
    while missing and (part := content.read(missing) or b""):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
