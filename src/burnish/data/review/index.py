"""A prepared part as compact arrays, so that samples, clusters and extremes of a million rows fit into memory."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import BurnishError
from burnish.core.records import Row, row_from_json
from burnish.data.cleaning.features import answer_side, prompt_side
from burnish.data.cleaning.places import texts_of

Numbers = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class PartIndex:
    """N rows of one part. `name_N` are hashes of (seed, id): a row's name, and an order by chance that no file decides.

    `chars_N`, `prompt_chars_N` and `answer_chars_N` are lengths in characters: of all texts, of what the user asked
    last, of what is learnt. `answer_N` and `group_N` are hashes.
    """

    part: str
    path: Path
    seed: int
    begin_N: Numbers
    name_N: Hashes
    group_N: Hashes
    answer_N: Hashes
    chars_N: Numbers
    prompt_chars_N: Numbers
    answer_chars_N: Numbers
    kinds: Counter[str]

    def __len__(self) -> int:
        return len(self.begin_N)

    def rows(self, numbers: Iterable[int]) -> list[Row]:
        """Rows by their numbers, in the order asked for."""
        rows = []
        with self.path.open("rb") as file:
            for number in numbers:
                file.seek(self.begin_N[number])
                rows.append(row_from_json(json.loads(file.readline())))
        return rows

    def sample(self, count: int) -> Sequence[int]:
        """Numbers of rows drawn by the seed, the first ones of a larger sample among them."""
        return [int(number) for number in np.argsort(self.name_N, kind="stable")[:count]]

    def numbers_of(self, ids: Iterable[str]) -> dict[str, int]:
        """id → number, of those that stand in this part."""
        wanted = {name_of(row_id, self.seed): row_id for row_id in ids}
        names = np.fromiter(wanted, np.uint64, len(wanted))
        return {wanted[int(self.name_N[n])]: int(n) for n in np.flatnonzero(np.isin(self.name_N, names))}


def name_of(row_id: str, seed: int) -> int:
    """A hash of the id that is drawn anew with another seed."""
    return _hash(f"{seed}:{row_id}")


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def read_part(path: Path, seed: int) -> PartIndex:
    """Reads train.jsonl, dev.jsonl or test.jsonl once. Raises BurnishError: it is absent or damaged."""
    begins, chars = array("q"), [array("q"), array("q"), array("q")]
    hashes = [array("Q"), array("Q"), array("Q")]
    kinds: Counter[str] = Counter()
    begin = 0
    try:
        with path.open("rb") as file:
            for line in file:
                row = row_from_json(json.loads(line))
                begins.append(begin)
                answer = answer_side(row)
                lengths = (sum(len(text) for _, text in texts_of(row)), len(prompt_side(row)), len(answer))
                for values, length in zip(chars, lengths, strict=True):
                    values.append(length)
                for values, text in zip(hashes, (f"{seed}:{row.id}", row.group or row.id, answer.strip()), strict=True):
                    values.append(_hash(text))
                kinds[type(row).__name__.lower()] += 1
                begin += len(line)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BurnishError(
            f"Cannot read {path.name}.",
            where=f"{path}:{len(begins) + 1}",
            seen=str(error),
            next_move="run `burnish prepare` again, with --fresh",
        ) from error
    total, prompts, answers = (np.array(values, np.int64) for values in chars)
    names, groups, said = (np.array(values, np.uint64) for values in hashes)
    return PartIndex(path.stem, path, seed, np.array(begins, np.int64), names, groups, said, total, prompts, answers,
                     kinds)  # fmt: skip


def extremes(values_N: Numbers, count: int) -> tuple[list[int], list[int]]:
    """(the numbers of the smallest, of the largest), each `count` at most and the most extreme first."""
    order = np.argsort(values_N, kind="stable")
    largest = [int(number) for number in order[::-1][:count]]
    return [int(number) for number in order[:count]], largest


def largest_classes(hashes_N: Hashes, most: int, shown: int) -> list[tuple[int, list[int]]]:
    """The largest sets of rows with equal hashes, as (rows in all, numbers of the first `shown`); none of one row."""
    order = np.argsort(hashes_N, kind="stable")
    starts = np.flatnonzero(np.r_[True, hashes_N[order][1:] != hashes_N[order][:-1]]) if len(order) else order
    sizes = np.diff(np.r_[starts, len(order)])
    chosen = [place for place in np.argsort(-sizes, kind="stable")[:most] if sizes[place] > 1]
    return [
        (int(sizes[place]), [int(n) for n in order[starts[place] : starts[place] + min(shown, sizes[place])]])
        for place in chosen
    ]
