"""Rows that share a key are worth comparing. The work stays linear however many rows share one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from burnish.data.duplicates.words import Hashes, Indices

NEIGHBOURS = 6
ROW_BITS = np.uint64(0xFFFFFFFF)
KEY_BITS = ~ROW_BITS


def pairs_in_buckets(keys_E: Hashes, rows_E: Indices) -> Hashes:
    """Pairs of rows among E entries with equal keys: each row with the next six of its bucket and with its first.

    So buckets of up to seven rows are compared in full, and a larger one costs seven pairs a row. Its rows stand in
    ascending order, and each of them is in other buckets with others. Of a key its upper 32 bits count. Pairs are coded
    as smaller row << 32 | larger.
    """
    return pairs_of_entries(coded_entries(keys_E, rows_E))


def coded_entries(keys_E: Hashes, rows_E: Indices) -> Hashes:
    """Each key and its row as one number."""
    coded: Hashes = keys_E & KEY_BITS | rows_E.astype(np.uint64)
    return coded


def pairs_of_entries(entries_E: Hashes) -> Hashes:
    """`pairs_in_buckets` for keys and rows as `coded_entries` gives them, which are sorted in their place."""
    entries_E.sort()
    same = entries_E[1:] >> np.uint64(32) == entries_E[:-1] >> np.uint64(32)
    shared = np.zeros(len(entries_E), np.bool_)
    shared[1:] |= same
    shared[:-1] |= same
    entries = entries_E[shared]  # most keys are one row's alone
    keys, rows = entries & KEY_BITS, entries & ROW_BITS
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)])
    firsts = np.repeat(rows[starts], np.diff(np.append(starts, len(keys))))
    found = [_coded(firsts, rows)]
    for step in range(1, NEIGHBOURS + 1):
        same = keys[step:] == keys[:-step]
        found.append(_coded(rows[:-step][same], rows[step:][same]))
    return merged(found)


def _coded(one_P: Hashes, other_P: Hashes) -> Hashes:
    different = one_P != other_P  # rows ascend within a bucket, so the smaller comes first
    pairs: Hashes = one_P[different] << np.uint64(32) | other_P[different]
    return pairs


def merged(parts: Iterable[Hashes]) -> Hashes:
    """All pairs of the parts, once each, sorted."""
    pairs = np.sort(np.concatenate([np.zeros(0, np.uint64), *parts]))
    # np.unique hashes such numbers into few places, and is fifty times slower.
    once: Hashes = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))[: len(pairs)]]
    return once


def decoded(pairs_P: Hashes) -> tuple[Indices, Indices]:
    """The smaller and the larger row of each pair."""
    return (pairs_P >> np.uint64(32)).astype(np.int64), (pairs_P & ROW_BITS).astype(np.int64)
