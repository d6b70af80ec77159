"""Does a model know how sure it may be of a label? Confidence: the probability of the likeliest label among all labels.

The expected calibration error (Naeini et al. 2015) over bins of equal numbers of answers (Nguyen & O'Connor 2015).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from burnish.core.records import Item
from burnish.evals.effects.records import Bin, Calibration
from burnish.evals.statistics import mean_interval
from burnish.graders.label import predicted_label

MOST_BINS = 10
FEWEST_IN_BIN = 10


def calibration(arm: str, items: Sequence[Item], labels: Sequence[str]) -> Calibration | None:
    """From the items that hold a confidence; None where none does. `labels` are all of the task."""
    sure = [item for item in items if "confidence" in item.facts]
    if not sure:
        return None
    confidence_N = np.array([float(item.facts["confidence"]) for item in sure])
    right_N = np.array([float(_same(item.facts["label"], item.expected or "", labels)) for item in sure])
    agrees = float(np.mean([_same(item.facts["label"], item.output, labels) for item in sure]))
    bins, ece = reliability(confidence_N.tolist(), right_N.tolist())
    return Calibration(arm, len(sure), ece, float(confidence_N.mean()), float(right_N.mean()), agrees, bins)


def reliability(confidence: Sequence[float], right: Sequence[float]) -> tuple[tuple[Bin, ...], float]:
    """Bins of as equal numbers as can be, the least sure first, and Σ share of the bin · |right - confidence|."""
    order = np.argsort(np.asarray(confidence), kind="stable")
    count = max(1, min(MOST_BINS, len(order) // FEWEST_IN_BIN))
    parts = [part for part in np.array_split(order, count) if part.size]
    bins = tuple(
        Bin(float(np.mean([confidence[place] for place in part])), mean_interval([right[place] for place in part]))
        for part in parts
    )
    return bins, sum(bin.right.n * abs(bin.right.mean - bin.confidence) for bin in bins) / len(order)


def _same(label: str, text: str, labels: Sequence[str]) -> bool:
    return predicted_label(label, labels) == predicted_label(text, labels) != ""
