"""Very many rows are compared in blocks of rows that look alike, so that candidates and signatures of all of them never
stand in memory together.

A row's block is chosen by one MinHash value of its rarer words, which two rows share with the probability that their
sets overlap (Jaccard; Broder 1997). Three rounds, each with a value of its own, put rows that overlap by 0.67 into one
block at least once with probability 1 - (1 - 0.67)^3 = 0.96, by 0.9 with 0.999.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from burnish.data.duplicates.minhash import copies_of_words, set_tokens, signatures
from burnish.data.duplicates.view import View
from burnish.data.duplicates.words import Indices

ROWS_AT_ONCE = 100_000  # the search takes about 3 KB a row
ROUNDS = 3


def block_count(rows: int, rows_at_once: int = ROWS_AT_ONCE) -> int:
    """Into how many blocks so many rows are cut in each round: 1 where all are compared with all."""
    return -(-rows // rows_at_once) or 1


def blocks(view: View, counts: Indices, rows: int, rows_at_once: int) -> Iterator[NDArray[np.bool_]]:
    """Masks over the `rows` rows of the fingerprints: in each round every row of the view is in one of them."""
    total = block_count(len(view), rows_at_once)
    values_V_R = _values(view, counts)
    for values_V in values_V_R.T:
        for number in range(total):
            block_N = np.zeros(rows, np.bool_)
            block_N[view.rows_V[values_V % total == number]] = True
            yield block_N


def _values(view: View, counts: Indices) -> NDArray[np.uint32]:
    """(V, rounds): the MinHash values of each row."""
    copies = copies_of_words(counts)
    values = np.empty((len(view), ROUNDS), np.uint32)
    for places, codes in view.batches():
        values[places] = signatures(*set_tokens(codes, view.lengths_V[places], copies), ROUNDS)
    return values
