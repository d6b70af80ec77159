"""What is remembered of each row to find it again: hashes of what it says and asks, and its words in a file."""

from __future__ import annotations

import hashlib
import re
from array import array
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from burnish.core.files import sha256_of_json
from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text
from burnish.data.column import Column
from burnish.data.duplicates.words import Hashes, Indices, WordFile, Words, to_codes, word_hashes
from burnish.data.normalised import normalised

FLUSH_WORDS = 1 << 20
ANSWER = Message("assistant", "")
NUMBER = re.compile(r"\d+")
MOST_FIGURES = 64
NAME_KEYS = ("id", "source", "group")


@dataclass(frozen=True)
class Fingerprint:
    """What is remembered of one row.

    `content` is a digest of all that it says. `keys` are hashes, one for each prompt that the row teaches an answer to;
    the last is that of its final answer. `asked` and `answered` are hashes of words, `numbers` one of the numbers asked
    about, 0 where there are none. `figures` are hashes of these numbers, each once; none where there are over 64, as in
    a table, of which one number is no more than a detail.
    """

    content: bytes
    keys: tuple[int, ...]
    asked: array[int]
    answered: array[int]
    numbers: int
    figures: array[int]


def fingerprint_of(row: Row) -> Fingerprint:
    """Training on a conversation teaches every answer in it, so it has a key for each. A preference, a rated answer and
    a prompt alone teach about their last answer."""
    asked, keys, numbers = _asked(row)
    return Fingerprint(
        content=content_digest(row),
        keys=tuple(keys),
        asked=asked,
        answered=_answered(row),
        numbers=_short_digest(" ".join(numbers).encode()) if numbers else 0,
        figures=_figures(numbers),
    )


@dataclass(frozen=True)
class Fingerprints:
    """N rows: about 85 bytes each, in temporary files, beside the words in theirs.

    `content_N_2` is a digest of all that the row says. `keys` holds one hash for each prompt that row n teaches an
    answer to, at key_starts_N1[n] : key_starts_N1[n + 1]; the last is that of its final answer. `asked_N` and
    `answer_N` are hashes of normalised words, `answer_N` 0 where the row has no answer; `numbers_N` is a hash of the
    numbers asked about, which `figures` holds at figure_starts_N1[n] : figure_starts_N1[n + 1]. Row 2n of `words` is
    what row n asks, row 2n + 1 what it answers.
    """

    content_N_2: Hashes
    keys: Hashes
    key_starts_N1: Indices
    asked_N: Hashes
    answer_N: Hashes
    numbers_N: Hashes
    figures: NDArray[np.uint32]
    figure_starts_N1: Indices
    words: Words

    def __len__(self) -> int:
        return len(self.asked_N)


class Fingerprinter:
    """Takes rows one at a time: those of all parts, in any order, so that they can be compared across parts."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is where the temporary file of words lies: 4 bytes a word."""
        self._file = WordFile(folder)
        self._content = Column("S16", folder)
        self._keys, self._key_starts = Column(np.uint64, folder), Column(np.int64, folder)
        self._asked, self._answer, self._numbers = (Column(np.uint64, folder) for _ in range(3))
        self._figures, self._figure_starts = Column(np.uint32, folder), Column(np.int64, folder)
        self._hashes, self._lengths = array("I"), array("q")

    def add(self, one: Fingerprint) -> None:
        self._content.append(one.content)
        self._key_starts.append(len(self._keys))
        self._keys.extend(one.keys)
        self._numbers.append(one.numbers)
        self._figure_starts.append(len(self._figures))
        self._figures.extend(one.figures)
        for words, column in ((one.asked, self._asked), (one.answered, self._answer)):
            column.append(_short_digest(words.tobytes()) if words else 0)
            self._hashes += words
            self._lengths.append(len(words))
        if len(self._hashes) >= FLUSH_WORDS:
            self._flush()

    def finish(self) -> Fingerprints:
        """All rows added. Nothing may be added afterwards."""
        self._flush()
        self._key_starts.append(len(self._keys))
        self._figure_starts.append(len(self._figures))
        return Fingerprints(
            content_N_2=self._content.finish().view(np.uint64).reshape(-1, 2),
            keys=self._keys.finish(),
            key_starts_N1=self._key_starts.finish(),
            asked_N=self._asked.finish(),
            answer_N=self._answer.finish(),
            numbers_N=self._numbers.finish(),
            figures=self._figures.finish(),
            figure_starts_N1=self._figure_starts.finish(),
            words=self._file.finish(),
        )

    def _flush(self) -> None:
        self._file.append(to_codes(self._hashes), np.array(self._lengths, np.int64))
        self._hashes, self._lengths = array("I"), array("q")


def content_digest(row: Row) -> bytes:
    """16 bytes of all that a row says, without its name and place."""
    content = [value for key, value in row.to_json().items() if key not in NAME_KEYS]
    return bytes.fromhex(sha256_of_json(content if len(content) > 1 else content[0]))[:16]


def _short_digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


Read: TypeAlias = "tuple[str, array[int], list[str]]"


def _read(text: str) -> Read:
    """The normalised text, its words, its numbers."""
    plain = normalised(text)
    return plain, word_hashes(plain), NUMBER.findall(plain)


_read_instruction = lru_cache(maxsize=64)(_read)  # most rows share their system message


def _asked(row: Row) -> tuple[array[int], list[int], list[str]]:
    """Words, keys of the prompts and numbers of all that stands before the final answer."""
    if isinstance(row, Text):
        plain, words, numbers = _read(row.text)
        return words, [_short_digest(plain.encode("utf-8", "surrogatepass"))], numbers
    messages = row.messages if isinstance(row, Chat) else (*row.prompt, ANSWER)
    words, numbers = array("I"), []
    keys: list[int] = []
    key = 0
    for message, following in pairwise(messages):
        plain, found, numbers_found = (_read_instruction if message.role == "system" else _read)(message.said)
        words += found
        numbers += numbers_found
        key = _short_digest(f"{key} {message.role} {plain}".encode("utf-8", "surrogatepass"))
        if following.role == "assistant":
            keys.append(key)
    return words, keys if isinstance(row, Chat) else keys[-1:], numbers


def _figures(numbers: list[str]) -> array[int]:
    found = set(numbers)
    return array("I", map(crc32, map(str.encode, found)) if len(found) <= MOST_FIGURES else ())


def _answered(row: Row) -> array[int]:
    """The words of the final answer, of both answers of a preference; none of a text or a prompt alone."""
    match row:
        case Chat() | Rated():
            return word_hashes(normalised(row.answer))
        case Pair():
            return word_hashes(normalised(row.chosen)) + word_hashes(normalised(row.rejected))
        case Text() | Prompt():
            return array("I")


def first_of(hashes_N_C: NDArray[np.uint64]) -> Indices:
    """For each of N rows the first row with the same C hashes: N indices, each at most its own place."""
    order = np.lexsort(hashes_N_C.T)  # stable: equal rows stay in the order of the file
    same = (hashes_N_C[order[1:]] == hashes_N_C[order[:-1]]).all(axis=1)
    run_starts = np.flatnonzero(np.concatenate(([True], ~same))) if len(order) else np.zeros(0, np.int64)
    first_N = np.empty(len(order), np.int64)
    first_N[order] = np.repeat(order[run_starts], np.diff(np.append(run_starts, len(order))))
    return first_N


def exact_duplicates(fingerprints: Fingerprints, among_N: NDArray[np.bool_]) -> Indices:
    """For each row the first of the rows named with the same content, or itself."""
    rows = np.flatnonzero(among_N)
    duplicate_of = np.arange(len(fingerprints))
    duplicate_of[rows] = rows[first_of(fingerprints.content_N_2[rows])]
    return duplicate_of
