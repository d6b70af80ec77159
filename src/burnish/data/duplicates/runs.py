"""Runs of eight words: hashes to match them, and which of them stand in so many rows that they tell nothing of one."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from burnish.data.duplicates.words import Codes, Hashes, Indices, Words, mixed

RUN_WORDS = 8
SLOT_BITS = 23
COMMON_SHARE = 0.01
FEWEST_COMMON = 30

Common: TypeAlias = NDArray[np.bool_]  # slot → the runs that hash to it are common


def run_hashes(codes_W: Codes, run_words: int = RUN_WORDS) -> Hashes:
    """The hash of the run that begins at each of W words, as far as a whole run fits: W - run_words + 1 hashes."""
    runs = len(codes_W) - run_words + 1
    if runs <= 0:
        return np.zeros(0, np.uint64)
    hashes = np.zeros(runs, np.uint64)
    for place in range(run_words):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes_W[place : place + runs]
    return mixed(hashes)


def within_rows(lengths_R: Indices, run_words: int = RUN_WORDS) -> NDArray[np.bool_]:
    """For each run of consecutive words whether it lies inside one row."""
    ends_W = np.repeat(np.cumsum(lengths_R), lengths_R)
    starts = np.arange(max(0, len(ends_W) - run_words + 1))
    inside: NDArray[np.bool_] = starts + run_words <= ends_W[: len(starts)]
    return inside


def slots(hashes: Hashes) -> Indices:
    return (hashes >> np.uint64(64 - SLOT_BITS)).astype(np.int64)


def common_runs(words: Words, rows_per_item: int) -> Common:
    """The runs that stand in over 1 % of the items, and in over 30: templates, instructions, system messages.

    An item is `rows_per_item` rows of `words`, one after another. Runs are counted by a hash of 23 bits; what falls on
    one place by chance, 12 of 100 million runs, is added to the limit twice.
    """
    counts = np.zeros(1 << SLOT_BITS, np.uint32)
    for first, last in words.batches(rows_per_item):
        lengths = words.lengths[first:last].reshape(-1, rows_per_item).sum(axis=1)
        inside = within_rows(lengths)
        np.add.at(counts, slots(run_hashes(words.read(first, last))[inside]), np.uint32(1))
    by_chance = int(words.starts_R1[-1]) >> SLOT_BITS
    limit = max(FEWEST_COMMON, int(COMMON_SHARE * len(words) / rows_per_item)) + 2 * by_chance
    common: Common = counts > limit
    return common


def telling_words(codes_W: Codes, lengths_I: Indices, common: Common) -> NDArray[np.bool_]:
    """For each word of items one after another whether it lies outside all common runs."""
    starts = np.flatnonzero(common[slots(run_hashes(codes_W))] & within_rows(lengths_I))
    depth = np.zeros(len(codes_W) + 1, np.int32)
    depth[starts] += 1
    depth[starts + RUN_WORDS] -= 1  # runs start at different words, so no index stands twice
    telling: NDArray[np.bool_] = np.cumsum(depth[:-1]) == 0
    return telling
