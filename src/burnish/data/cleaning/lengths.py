"""Texts far longer or shorter than the others on their side: often a whole document in one field, or a stray token."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burnish.data.cleaning.features import Features
from burnish.data.cleaning.outcome import Verdict
from burnish.data.cleaning.settings import CleanSettings

FEWEST_ROWS = 50
MOST_DEVIATIONS = 6.0
SIGMA_OF_MAD = 1.4826  # the factor that makes the median absolute deviation a standard deviation (Hampel 1974)
# Many sets have long rows of their own, such as those with a document: beyond twice the way to the outer twentieth.
EDGE = 0.05
EDGES_AWAY = 2.0
LEAST_FACTOR = 4.0  # sets of nearly equal lengths: nothing within a quarter and four times the median is an outlier


def length_outliers(features: Features, settings: CleanSettings, *, labels: bool) -> list[Verdict]:
    """Rows whose prompt or answer is far from the median of its side, by six robust deviations of log length."""
    verdicts: list[Verdict] = []
    for side in ("prompt",) if labels else ("prompt", "answer"):
        chars = features[f"{side}_chars"].astype(np.float64)
        for index in _outliers(chars):
            median = np.median(chars[chars > 0])
            detail = f"the {side} has {chars[index]:,.0f} characters, the median is {median:,.0f}"
            verdicts.append(Verdict(index, "length_outlier", detail, drop=settings.length == "drop"))
    return verdicts


def _outliers(chars: NDArray[np.float64]) -> list[int]:
    present = np.flatnonzero(chars)
    if len(present) < FEWEST_ROWS:
        return []
    logs = np.log(chars[present])
    low, median, high = np.quantile(logs, (EDGE, 0.5, 1 - EDGE))
    least = max(MOST_DEVIATIONS * SIGMA_OF_MAD * float(np.median(np.abs(logs - median))), np.log(LEAST_FACTOR))
    above = logs > median + max(least, EDGES_AWAY * (high - median))
    below = logs < median - max(least, EDGES_AWAY * (median - low))
    return [int(index) for index in present[above | below]]
