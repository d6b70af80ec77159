"""Candidates that share most of their rarer words: MinHash signatures in bands (Broder 1997; Indyk and Motwani 1998).

A word enters the set up to four times, the rarer the more often, so two texts of one language do not look alike for
their common words. Rows whose sets overlap by 0.67 (Jaccard), which is what a fifth of changed words leaves, share one
of 25 bands with probability 1 - (1 - 0.67^5)^25 = 0.97; rows that overlap by 0.05 with less than one in 100,000.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from burnish.data.duplicates.buckets import merged, pairs_in_buckets
from burnish.data.duplicates.view import View
from burnish.data.duplicates.words import Codes, Hashes, Indices, mixed

BAND_SLOTS = 5
SEED = 1
FEWEST_WORDS = 15  # shorter rows are found by their rarest words
MOST_COPIES = 4
FEWEST_TOKENS = 8
ROWS_AT_ONCE = 4096


def copies_of_words(counts: Indices) -> NDArray[np.int64]:
    """Word code → how often the word enters a set: 0 from a share of 1/64 of all words, 4 below 1/65,000."""
    rarity = np.log2(max(1, counts.sum()) / np.maximum(counts, 1))
    copies: NDArray[np.int64] = np.clip((rarity - 6) / 2.5, 0, MOST_COPIES).astype(np.int64)
    return copies


def set_tokens(codes_W: Codes, lengths_R: Indices, copies: NDArray[np.int64]) -> tuple[Hashes, Hashes]:
    """Token hashes of rows one after another, and the R + 1 places where rows begin."""
    copies_W = copies[codes_W]
    row_W = np.repeat(np.arange(len(lengths_R)), lengths_R)
    poor_R = np.bincount(row_W, weights=copies_W, minlength=len(lengths_R)) < FEWEST_TOKENS
    copies_W = np.maximum(copies_W, poor_R[row_W])
    tokens_R = np.bincount(row_W, weights=copies_W, minlength=len(lengths_R)).astype(np.int64)
    first_W = np.cumsum(copies_W) - copies_W
    copy_T = np.arange(copies_W.sum()) - np.repeat(first_W, copies_W)
    tokens_T = mixed(np.repeat(codes_W, copies_W).astype(np.uint64) | copy_T.astype(np.uint64) << np.uint64(21))
    return tokens_T, np.concatenate(([0], np.cumsum(tokens_R))).astype(np.uint64)


def signatures(tokens_T: Hashes, starts_R1: Hashes, slots: int) -> NDArray[np.uint32]:
    """(rows, slots) MinHash signatures: the share of equal slots estimates the Jaccard similarity of two sets."""
    rows = len(starts_R1) - 1
    found = np.empty((rows, slots), np.uint32)
    for first in range(0, rows, ROWS_AT_ONCE):  # the library gives lists of numbers, of ten times the size
        starts = starts_R1[first : first + ROWS_AT_ONCE + 1]
        tokens = tokens_T[int(starts[0]) : int(starts[-1])]
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(tokens, starts - starts[0], slots, SEED)
        found[first : first + ROWS_AT_ONCE] = matrix.to_rows()
    return found


def most_words_agree(view: View, counts: Indices, bands: int) -> Hashes:
    """Candidate pairs of the view's rows of 15 words and more by rank, coded as in `buckets`."""
    copies = copies_of_words(counts)
    long_V = view.lengths_V >= FEWEST_WORDS
    ranks = view.ranks_V[long_V]
    keys = np.empty((bands, len(ranks)), np.uint32)
    done = 0
    for places, codes in view.batches():
        long, lengths = long_V[places], view.lengths_V[places]
        found = signatures(*set_tokens(codes[np.repeat(long, lengths)], lengths[long], copies), bands * BAND_SLOTS)
        keys[:, done : done + len(found)] = _band_keys(found, view.tags_V[places][long])
        done += len(found)
    return merged(pairs_in_buckets(band.astype(np.uint64) << np.uint64(32), ranks) for band in keys)


def _band_keys(signatures_R: NDArray[np.uint32], tags_R: Hashes) -> NDArray[np.uint32]:
    """(bands, rows): 32 bits of hash for each band of a row's signature and its tag."""
    bands = signatures_R.shape[1] // BAND_SLOTS
    banded = signatures_R.reshape(-1, bands, BAND_SLOTS).astype(np.uint64)
    hashes = np.broadcast_to(tags_R[:, None], banded.shape[:2])
    for slot in range(BAND_SLOTS):
        hashes = mixed(hashes ^ banded[:, :, slot])
    return (hashes >> np.uint64(32)).astype(np.uint32).T
