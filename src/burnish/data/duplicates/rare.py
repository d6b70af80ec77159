"""Candidates that differ in a few words: rows that share three of their rarest.

If two rows differ in at most three words each, then among the words that both hold, the three rarest stand in the six
rarest of either: at most three words of its own can be rarer. So sharing a triple of the six is necessary, whatever
the length, where MinHash would need many bands to find a row of eight words with three changed. (Prefix filtering:
Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins in data cleaning".)
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from burnish.data.duplicates.buckets import coded_entries, merged, pairs_of_entries
from burnish.data.duplicates.view import View
from burnish.data.duplicates.words import Codes, Hashes, Indices, Words, mixed

RAREST = 6
TRIPLES = np.array(list(combinations(range(RAREST), 3)))
ENTRIES_AT_ONCE = 4_000_000
ROWS_AT_ONCE = 1 << 14
UNICODE = 0x110000
NONE = 0  # no word has this code but by a chance of one in a million


def word_counts(words: Words) -> Indices:
    """How often each word code occurs in all rows."""
    counts = np.zeros(UNICODE, np.int64)
    for first, last in words.batches():
        counts += np.bincount(words.read(first, last), minlength=UNICODE)
    return counts


def rarest_words(view: View, counts: Indices) -> Codes:
    """(V, 6): the rarest different words of each row of a view, the rarest first, NONE where there are fewer."""
    rarest = np.full((len(view), RAREST), NONE, np.uint32)
    # On a scale of 1/2048 of a doubling, so that any count fits in 16 bits; ties are broken by the code.
    rarity = np.minimum(np.log2(counts + 1) * 2048, 0xFFFF).astype(np.uint64)
    for places, codes in view.batches():
        lengths = view.lengths_V[places]
        row = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
        ranked = np.sort(row << np.uint64(37) | rarity[codes] << np.uint64(21) | codes)
        ranked = ranked[np.concatenate(([True], ranked[1:] != ranked[:-1]))[: len(ranked)]]
        row = (ranked >> np.uint64(37)).astype(np.int64)
        starts = np.searchsorted(row, np.arange(len(lengths)))
        nth = np.arange(len(row)) - starts[row]
        taken = nth < RAREST
        rarest[places.start + row[taken], nth[taken]] = ranked[taken] & np.uint64(0x1FFFFF)
    return rarest


def triple_keys(rarest_R_6: Codes, tags_R: Hashes) -> tuple[Hashes, Indices]:
    """A key for each triple of a row's rarest words and its tag, and the row of each key."""
    chosen = rarest_R_6[:, TRIPLES].astype(np.uint64)  # rows, 20, 3
    # A row of fewer than six words is filled up once, so that rows of two and of three words can share a triple.
    usable = (chosen[:, :, 1] != NONE) & (chosen[:, :, 0] != NONE)
    usable &= (chosen[:, :, 2] != NONE) | (TRIPLES[:, 2] == (rarest_R_6 != NONE).sum(axis=1)[:, None])
    keys = mixed(chosen[:, :, 0] << np.uint64(42) | chosen[:, :, 1] << np.uint64(21) | chosen[:, :, 2])
    keys = mixed(keys ^ tags_R[:, None])
    return keys[usable], np.nonzero(usable)[0]


def few_words_differ(view: View, counts: Indices) -> Hashes:
    """Candidate pairs of the view's rows by rank, coded as in `buckets`. `counts` of the words may be of more rows."""
    rarest = rarest_words(view, counts)
    passes = 1 + len(view) * len(TRIPLES) // ENTRIES_AT_ONCE
    found = []
    for number in range(passes):
        parts = []
        for first in range(0, len(view), ROWS_AT_ONCE):
            span = slice(first, first + ROWS_AT_ONCE)
            keys, rows = triple_keys(rarest[span], view.tags_V[span])
            mine = keys % np.uint64(passes) == number
            parts.append(coded_entries(keys[mine], view.ranks_V[span][rows[mine]]))
        if parts:
            found.append(pairs_of_entries(np.concatenate(parts)))
    return merged(found)
