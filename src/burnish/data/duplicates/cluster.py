"""Clusters of rows that must stand on one side of train, dev and test, and rows that may be left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from burnish.data.duplicates.fingerprint import Fingerprints, first_of
from burnish.data.duplicates.near import CLOSE, FEW, NearPairs, nearest
from burnish.data.duplicates.words import Hashes, Indices

LARGEST_SHARE = 0.2  # what the test takes by default: a larger cluster could never be held out
SMALLEST_LIMIT = 10


@dataclass(frozen=True)
class Clusters:
    """`cluster_N` numbers the cluster of each row. `name_N` names it by its content, whatever the order of the rows.

    `loosened` rows stood in a cluster of over a fifth of all rows, and were kept together with their nearest only;
    `parted` rows stood in such a one even so, and are together only where they ask the same.
    """

    cluster_N: Indices
    name_N: Hashes
    loosened: int
    parted: int


def clusters(fingerprints: Fingerprints, near: NearPairs | None, among_N: NDArray[np.bool_]) -> Clusters:
    """Chains rows that ask the same or are near duplicates, among the rows named; the others stand alone.

    Chaining is what keeps the test clean: no row has a near duplicate on another side. Only where it would tie over a
    fifth of the rows together, as in data filled into one template, are the ties loosened, and the rows counted.
    """
    rows = len(fingerprints)
    one, other = _same_prompts(fingerprints, among_N)
    cluster_N = _components(rows, one, other)
    loosened = parted = 0
    if near is not None:
        near_one, near_other, similarity = _among(near, among_N)
        limit = max(SMALLEST_LIMIT, int(LARGEST_SHARE * among_N.sum()))

        def chained(tied_P: NDArray[np.bool_]) -> tuple[Indices, NDArray[np.bool_]]:
            """The clusters, and for each row whether near duplicates made its cluster too large."""
            found_N = _components(rows, np.append(one, near_one[tied_P]), np.append(other, near_other[tied_P]))
            tied_C = np.zeros(rows, np.bool_)
            tied_C[found_N[near_one[tied_P]]] = True
            return found_N, (tied_C & (np.bincount(found_N, minlength=rows) > limit))[found_N]

        tied_P = np.ones(len(near_one), np.bool_)
        cluster_N, large_N = chained(tied_P)
        loosened = int(large_N.sum())
        if loosened:
            tied_P = ~large_N[near_one] | nearest(near_one, near_other, similarity)
            cluster_N, large_N = chained(tied_P)
            parted = int(large_N.sum())
        if parted:
            cluster_N, _ = chained(tied_P & ~large_N[near_one])
    return Clusters(cluster_N, _names(fingerprints, cluster_N), loosened, parted)


def near_duplicates(near: NearPairs, among_N: NDArray[np.bool_]) -> Indices:
    """For each row the earlier row that it may be left out for, or itself. Rows that are left out stand for no other.

    Rows that only ask nearly the same, or mean the same, are not duplicates.
    """
    duplicate_of = _first_among(near, among_N)
    duplicate_of[~among_N] = np.flatnonzero(~among_N)
    firm_P = (near.kind_P == CLOSE) | (near.kind_P == FEW)
    one, other, _ = _among(near, among_N, firm_P)
    earlier, later = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((earlier, later))  # a row is decided before it is asked whether it stays
    left_out: dict[int, int] = {}  # row → the row it is left out for, which itself stays
    for first, second in zip(earlier[order].tolist(), later[order].tolist(), strict=True):
        if first not in left_out and second not in left_out:
            left_out[second] = first
    stands_for = np.arange(len(among_N))
    stands_for[list(left_out)] = list(left_out.values())
    return stands_for[duplicate_of]


def _first_among(near: NearPairs, among_N: NDArray[np.bool_]) -> Indices:
    """For each row the first of the rows named that has the same words; -1 where there is none."""
    rows = np.flatnonzero(among_N)[::-1]
    first_of_class = np.full(len(near.same_N), -1)
    first_of_class[near.same_N[rows]] = rows  # the last write is that of the first row
    return first_of_class[near.same_N]


def _among(
    near: NearPairs, among_N: NDArray[np.bool_], chosen_P: NDArray[np.bool_] | None = None
) -> tuple[Indices, Indices, NDArray[np.float32]]:
    """The pairs between rows named: a row that is not among them is replaced by the first with its words that is."""
    first_N = _first_among(near, among_N)
    one, other = first_N[near.one_P], first_N[near.other_P]
    kept = (one >= 0) & (other >= 0)
    if chosen_P is not None:
        kept &= chosen_P
    return one[kept], other[kept], near.similarity_P[kept]


def _same_prompts(fingerprints: Fingerprints, among_N: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Ties between rows of which one teaches an answer to what the other is tested with.

    A prompt that is only an earlier turn of several rows ties none of them.
    """
    counts_N = np.diff(fingerprints.key_starts_N1)
    row_K = np.repeat(np.arange(len(fingerprints)), counts_N)
    final_K = np.zeros(len(fingerprints.keys), np.bool_)
    final_K[fingerprints.key_starts_N1[1:][counts_N > 0] - 1] = True
    usable_K = among_N[row_K]
    row_K, final_K, keys_K = row_K[usable_K], final_K[usable_K], fingerprints.keys[usable_K]
    order = np.argsort(~final_K, kind="stable")  # final prompts first, so that they are found as the first
    row_K, final_K, keys_K = row_K[order], final_K[order], keys_K[order]
    first_K = first_of(keys_K[:, None])
    tied = final_K[first_K]
    asking = np.flatnonzero(among_N & (fingerprints.asked_N != 0))
    first_asking = asking[first_of(fingerprints.asked_N[asking, None])]
    return np.append(row_K[tied], asking), np.append(row_K[first_K][tied], first_asking)


def _components(rows: int, one: Indices, other: Indices) -> Indices:
    graph = coo_array((np.ones(len(one), np.float32), (one, other)), shape=(rows, rows))
    labels: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _names(fingerprints: Fingerprints, cluster_N: Indices) -> Hashes:
    """The smallest hash of what a row of the cluster asks."""
    asks_N = fingerprints.asked_N != 0
    anchor_N = np.where(asks_N, fingerprints.asked_N, fingerprints.content_N_2[:, 0])
    names = np.full(cluster_N.max(initial=-1) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(names, cluster_N, anchor_N)
    return names[cluster_N]
