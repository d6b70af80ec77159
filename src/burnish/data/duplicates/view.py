"""Which words of which rows are compared, and how many of them tell something of the row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.data.duplicates.fingerprint import Fingerprints
from burnish.data.duplicates.runs import Common, telling_words
from burnish.data.duplicates.words import Codes, Hashes, Indices, Words

LABEL_WORDS = 6
LABEL_ROWS = 3
REPEATED_ROWS = 10
REPEATED_SHARE = 0.001
FEWEST_TELLING = 4
LONG_ANSWER_WORDS = 8
MOST_COMPARED_WORDS = 4096  # a document is compared by its start: the distance of two texts costs their product


@dataclass(frozen=True)
class View:
    """V rows of the fingerprints, `rows_V`, of which only those with equal tags are compared.

    `halves_V` is 2 where what a row asks and answers counts, 1 where only what it asks does. Of `lengths_V` words
    `frame_V` stand in runs that very many rows share. `ranks_V` orders rows by content, whatever their order in files.
    """

    words: Words
    rows_V: Indices
    tags_V: Hashes
    ranks_V: Indices
    halves_V: Indices
    lengths_V: Indices
    frame_V: Indices

    def __len__(self) -> int:
        return len(self.rows_V)

    def batches(self) -> Iterator[tuple[slice, Codes]]:
        """Spans of places and their words, one place after another."""
        for first, last in self.words.batches(2):
            places = slice(*np.searchsorted(self.rows_V, [first // 2, last // 2]).tolist())
            halves = np.zeros((last - first) // 2, np.int64)
            halves[self.rows_V[places] - first // 2] = self.halves_V[places]
            yield places, _read(self.words, first, last, halves)[0]

    def among(self, chosen_N: NDArray[np.bool_]) -> View:
        """The rows of it that are among those chosen of all N rows."""
        of_V = chosen_N[self.rows_V]
        ranks = np.empty(int(of_V.sum()), np.int64)
        ranks[np.argsort(self.ranks_V[of_V])] = np.arange(len(ranks))
        return View(
            words=self.words,
            rows_V=self.rows_V[of_V],
            tags_V=self.tags_V[of_V],
            ranks_V=ranks,
            halves_V=self.halves_V[of_V],
            lengths_V=self.lengths_V[of_V],
            frame_V=self.frame_V[of_V],
        )

    def as_text(self, place: int) -> str:
        """The words at a place as a string of one character a word."""
        row = int(self.rows_V[place])
        return as_text(self.words, 2 * row, 2 * row + int(self.halves_V[place]))


def as_text(words: Words, first: int, last: int) -> str:
    return words.read(first, last)[:MOST_COMPARED_WORDS].tobytes().decode("utf-32-le")


def _read(words: Words, first: int, last: int, halves_I: Indices) -> tuple[Codes, Indices]:
    """The words of the wanted halves of items, at most 4096 of each, and their numbers."""
    lengths_I_2 = words.lengths[first:last].reshape(-1, 2)
    wanted_W = np.repeat((np.arange(2) < halves_I[:, None]).ravel(), lengths_I_2.ravel())
    item_W = np.repeat(np.arange(len(halves_I)), lengths_I_2.sum(axis=1))[wanted_W]
    codes_W = words.read(first, last)[wanted_W]
    lengths_I = np.bincount(item_W, minlength=len(halves_I))
    place_W = np.arange(len(codes_W)) - (np.cumsum(lengths_I) - lengths_I)[item_W]
    return codes_W[place_W < MOST_COMPARED_WORDS], np.minimum(lengths_I, MOST_COMPARED_WORDS)


def has_label(fingerprints: Fingerprints) -> NDArray[np.bool_]:
    """For each of N rows whether its answer is a label: up to 6 words in 3 rows or more, or in very many rows.

    A label says what is right and not what the row is about, so such rows are compared only where it is the same.
    """
    lengths_N = fingerprints.words.lengths[1::2]
    _, inverse, counts = np.unique(fingerprints.answer_N, return_inverse=True, return_counts=True)
    rows_N = counts[inverse]
    repeated_N = rows_N >= max(REPEATED_ROWS, REPEATED_SHARE * len(fingerprints))
    short_N = (lengths_N <= LABEL_WORDS) & (rows_N >= LABEL_ROWS)
    label: NDArray[np.bool_] = (fingerprints.answer_N != 0) & (short_N | repeated_N)
    return label


def has_long_answer(fingerprints: Fingerprints) -> NDArray[np.bool_]:
    """For each of N rows whether it is answered in so many words that two people would not choose the same."""
    long: NDArray[np.bool_] = (fingerprints.words.lengths[1::2] >= LONG_ANSWER_WORDS) & ~has_label(fingerprints)
    return long


def whole_rows(fingerprints: Fingerprints, common: Common, chosen_N: NDArray[np.bool_]) -> View:
    """What the chosen rows ask and answer; of rows with a label what they ask, tagged with the label.

    A row that is nearly all in common runs has no frame: it is what so many rows say.
    """
    label_N = has_label(fingerprints)
    halves_N = np.where(chosen_N, np.where(label_N, 1, 2), 0)
    lengths_N, frame_N = _measured(fingerprints.words, halves_N, common)
    frame_N[lengths_N - frame_N < FEWEST_TELLING] = 0
    return _view(fingerprints, halves_N, np.where(label_N, fingerprints.answer_N, np.uint64(0)), lengths_N, frame_N)


def asked_only(fingerprints: Fingerprints, common: Common, chosen_N: NDArray[np.bool_]) -> View:
    """What the chosen rows ask, whatever they answer, if that is more than a frame and three words.

    Rows with a label are among them only where there are rows without an answer to compare them with.
    """
    unanswered = bool((fingerprints.answer_N == 0).any())
    halves_N = (chosen_N & (unanswered | ~has_label(fingerprints))).astype(np.int64)
    lengths_N, frame_N = _measured(fingerprints.words, halves_N, common)
    halves_N[(frame_N > 0) & (lengths_N - frame_N < FEWEST_TELLING)] = 0
    return _view(fingerprints, halves_N, np.zeros(len(fingerprints), np.uint64), lengths_N, frame_N)


def _measured(words: Words, halves_N: Indices, common: Common) -> tuple[Indices, Indices]:
    """For each row how many words are compared, and how many of them stand in common runs."""
    lengths, frames = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for first, last in words.batches(2):
        codes_W, lengths_I = _read(words, first, last, halves_N[first // 2 : last // 2])
        item_W = np.repeat(np.arange(len(lengths_I)), lengths_I)
        lengths.append(lengths_I)
        frames.append(np.bincount(item_W[~telling_words(codes_W, lengths_I, common)], minlength=len(lengths_I)))
    return np.concatenate(lengths), np.concatenate(frames)


def _view(fingerprints: Fingerprints, halves_N: Indices, tags_N: Hashes, lengths_N: Indices, frame_N: Indices) -> View:
    rows_V = np.flatnonzero(halves_N)
    by_content = np.lexsort((fingerprints.answer_N[rows_V], fingerprints.asked_N[rows_V]))
    ranks_V = np.empty(len(rows_V), np.int64)
    ranks_V[by_content] = np.arange(len(rows_V))
    return View(
        words=fingerprints.words,
        rows_V=rows_V,
        tags_V=tags_N[rows_V],
        ranks_V=ranks_V,
        halves_V=halves_N[rows_V],
        lengths_V=lengths_N[rows_V],
        frame_V=frame_N[rows_V],
    )
