"""Numbers say what a row is about: "order 17" is not "order 18", however many of their words agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burnish.data.duplicates.fingerprint import Fingerprints
from burnish.data.duplicates.words import Hashes, Indices


def contradict(fingerprints: Fingerprints, one_P: Indices, other_P: Indices) -> NDArray[np.bool_]:
    """For each pair whether each of its rows asks about a number that the other does not name.

    A number left out or put in is a change like that of any word. Of a text that stands nearly whole in another one,
    `leaks` finds the runs of words, whatever its numbers.
    """
    lacking: NDArray[np.bool_] = np.zeros(len(one_P), np.bool_)
    differ = np.flatnonzero(fingerprints.numbers_N[one_P] != fingerprints.numbers_N[other_P])
    counts_N = np.diff(fingerprints.figure_starts_N1)
    named = np.sort(_coded(np.repeat(np.arange(len(counts_N)), counts_N), fingerprints.figures))
    one, other = one_P[differ], other_P[differ]
    lacking[differ] = _names_more(fingerprints, named, one, other) & _names_more(fingerprints, named, other, one)
    return lacking


def _names_more(fingerprints: Fingerprints, named: Hashes, one_P: Indices, other_P: Indices) -> NDArray[np.bool_]:
    """For each pair whether the one names a number that the other does not. `named` holds all (row, number), sorted."""
    starts = fingerprints.figure_starts_N1
    counts_P = starts[one_P + 1] - starts[one_P]
    pair_F = np.repeat(np.arange(len(one_P)), counts_P)
    place_F = np.arange(len(pair_F)) - np.repeat(np.cumsum(counts_P) - counts_P - starts[one_P], counts_P)
    wanted = _coded(other_P[pair_F], fingerprints.figures[place_F])
    at = np.minimum(np.searchsorted(named, wanted), max(len(named) - 1, 0))
    missing = named[at] != wanted if len(named) else np.zeros(0, np.bool_)
    more: NDArray[np.bool_] = np.bincount(pair_F[missing], minlength=len(one_P)) > 0
    return more


def _coded(rows: Indices, figures: NDArray[np.uint32]) -> Hashes:
    coded: Hashes = rows.astype(np.uint64) << np.uint64(32) | figures
    return coded
