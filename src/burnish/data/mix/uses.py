"""How often each row of train is used, and in which order they are written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.data.mix.chance import Keys, ranks
from burnish.data.mix.settings import MixSettings

Numbers = NDArray[np.int64]


class Listed(NamedTuple):
    """M lines of train: the row of each, and for the how manieth time it stands there (from 0)."""

    row_M: Numbers
    nth_M: Numbers


def uses(
    source_N: Numbers, label_N: Numbers | None, key_N: Keys, weight_S: NDArray[np.float64], mix: MixSettings, seed: int
) -> Numbers:
    """How often each of N rows of train is used: 0 is left out, 2 is twice. A pure function of seed and keys.

    Source s with n_s rows and weight w_s gives w_s · n_s · (n_max / n_s)^(1-1/T) of them, so that its share goes with
    w_s · n_s^(1/T) and the largest source is used once (temperature T as in Arivazhagan et al. 2019, "Massively
    Multilingual Neural Machine Translation in the Wild"). Balancing multiplies by n_max / n of the row's label; rows
    without one (-1) are left as they are. No row is used more than `most_uses` times. The rows of one source and label
    are used equally often, except that chance draws those that are used once more than the others.
    """
    rows_S = np.bincount(source_N, minlength=len(weight_S))
    evened_S = (rows_S.max(initial=1) / np.maximum(rows_S, 1)) ** (1 - 1 / mix.temperature)
    factor_N = (weight_S * evened_S)[source_N]
    label_N = np.full(len(source_N), -1) if label_N is None or mix.balance == "off" else label_N
    labelled_N = label_N >= 0
    if labelled_N.any():
        rows_L = np.bincount(label_N[labelled_N])
        factor_N[labelled_N] *= rows_L.max() / rows_L[label_N[labelled_N]]
    # Rows of one cell have one factor. In the order of chance the first of a cell are used once more.
    order_N = np.lexsort((ranks(key_N, seed, "mix"), label_N, source_N))
    begins_N = np.append(True, (np.diff(source_N[order_N]) != 0) | (np.diff(label_N[order_N]) != 0))[: len(order_N)]
    starts_C = np.flatnonzero(begins_N)
    rows_C = np.diff(np.append(starts_C, len(order_N)))
    factor_C = np.minimum(factor_N[order_N[starts_C]], mix.most_uses)
    wanted_C = np.maximum(1, np.floor(rows_C * factor_C + 0.5).astype(np.int64))
    place_N = np.arange(len(order_N)) - np.repeat(starts_C, rows_C)
    used_N = np.empty(len(order_N), np.int64)
    used_N[order_N] = np.repeat(wanted_C // rows_C, rows_C) + (place_N < np.repeat(wanted_C % rows_C, rows_C))
    return used_N


def listed(uses_N: Numbers, tokens_N: NDArray[np.int32] | None = None) -> Listed:
    """The lines of train: first every row once, in the order of the files or, with `tokens_N`, the shorter first; then
    once more all that are used twice; and so on."""
    row_M = np.repeat(np.arange(len(uses_N)), uses_N)
    nth_M = np.arange(len(row_M)) - np.repeat(np.cumsum(uses_N) - uses_N, uses_N)
    order_M = np.lexsort((row_M, nth_M) if tokens_N is None else (row_M, tokens_N[row_M], nth_M))
    return Listed(row_M[order_M], nth_M[order_M])
