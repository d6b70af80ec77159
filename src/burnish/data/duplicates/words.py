"""Texts as rows of word codes in a temporary file, so that a million rows take no memory of Python's."""

from __future__ import annotations

import re
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from burnish.data.column import Column

Codes: TypeAlias = NDArray[np.uint32]
Indices: TypeAlias = NDArray[np.int64]
Hashes: TypeAlias = NDArray[np.uint64]

CODES = 0x110000 - 0x800  # Unicode's code points without the surrogates
SURROGATES = 0xD800
BATCH_WORDS = 1 << 21
# Scripts that write no spaces between words: each character counts as one.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def word_hashes(text: str) -> array[int]:
    """One 32-bit hash for each word of a normalised text."""
    spaced = text if text.isascii() else UNSPACED.sub(r" \g<0> ", text)
    return array("I", map(crc32, spaced.encode("utf-8", "surrogatepass").split()))


def to_codes(hashes: array[int]) -> Codes:
    """Hashes as code points, so that a row of words is also a string, of which libraries can measure the distance.

    Two words share a code by chance once in a million.
    """
    codes = np.frombuffer(hashes, np.uint32) % np.uint32(CODES)
    codes[codes >= SURROGATES] += np.uint32(0x800)
    return codes


@dataclass(frozen=True)
class Words:
    """R rows of word codes: row r is codes[starts_R1[r] : starts_R1[r + 1]] of the file."""

    file: IO[bytes]
    starts_R1: Indices

    def __len__(self) -> int:
        return len(self.starts_R1) - 1

    @property
    def lengths(self) -> Indices:
        return np.diff(self.starts_R1)

    def read(self, first: int, last: int) -> Codes:
        """The codes of the rows first to last - 1, one after another."""
        start, stop = int(self.starts_R1[first]), int(self.starts_R1[last])
        self.file.seek(4 * start)
        return np.frombuffer(self.file.read(4 * (stop - start)), np.uint32)

    def batches(self, multiple: int = 1) -> Iterator[tuple[int, int]]:
        """Cuts the rows into spans (first, last) of about two million words, at multiples of `multiple`."""
        for span in spans(self.lengths.reshape(-1, multiple).sum(axis=1), BATCH_WORDS):
            yield span.start * multiple, span.stop * multiple


def spans(sizes: Indices, most: int) -> Iterator[slice]:
    """Cuts items into spans of at most this size in all, or of one item."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(ends):
        last = int(np.searchsorted(ends, ends[first] - sizes[first] + most, "right"))
        yield slice(first, max(last, first + 1))
        first = max(last, first + 1)


class WordFile:
    """Writes rows of words, one after another."""

    def __init__(self, folder: Path | None = None) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the rows are used
        self.starts = Column(np.int64, folder)
        self.starts.append(0)
        self._words = 0

    def append(self, codes: Codes, lengths: Indices) -> None:
        """Adds rows of these lengths; `codes` holds their words one after another."""
        self.file.write(codes.tobytes())
        self.starts.extend((np.cumsum(lengths) + self._words).tolist())
        self._words += int(lengths.sum())

    def finish(self) -> Words:
        """All rows that were added. Nothing may be added afterwards."""
        self.file.flush()
        return Words(self.file, self.starts.finish())


def mixed(values: Hashes) -> Hashes:
    """Spreads every bit of a 64-bit number over all of them (the finaliser of SplitMix64, Steele and others 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
