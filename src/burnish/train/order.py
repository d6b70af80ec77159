"""Which rows an update sees: a pure function of (seed, epoch, index). The cursor is one number of rows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, rows: int, in_order: bool = False) -> tuple[int, ...]:
    """A permutation of 0 … rows-1, from a counter-based generator: no state to save or to lose.

    With `in_order` the first epoch takes the rows as they stand in train.jsonl; once all were seen, chance goes on.
    """
    if in_order and epoch == 0:
        return tuple(range(rows))
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    return tuple(int(row) for row in generator.permutation(rows))


def rows_of_update(step: int, *, seed: int, rows: int, rows_per_update: int, in_order: bool = False) -> list[int]:
    """The rows of update `step` (from 0), exactly `rows_per_update` of them; an update may span two epochs."""
    first = step * rows_per_update
    return [epoch_order(seed, at // rows, rows, in_order)[at % rows] for at in range(first, first + rows_per_update)]
