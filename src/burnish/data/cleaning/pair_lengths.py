"""Whether the preferred answers are mostly the longer ones: then length can be learnt instead of quality."""

from __future__ import annotations

import math

import numpy as np

from burnish.core.records import Pair
from burnish.data.cleaning.features import KINDS, Features
from burnish.data.cleaning.outcome import Observation

LOPSIDED = 0.6  # share of pairs in which the same side is the longer one
FEWEST_STANDARD_ERRORS = 3.0


def length_bias(features: Features) -> list[Observation]:
    """The share of pairs whose chosen answer is the longer one, where it is far from a half and not by chance."""
    pairs = features[features["kind"] == KINDS.index(Pair)]
    unequal = pairs[pairs["answer_chars"] != pairs["rejected_chars"]]
    if not len(unequal):
        return []
    longer = float((unequal["answer_chars"] > unequal["rejected_chars"]).mean())
    standard_errors = abs(longer - 0.5) / (0.5 / math.sqrt(len(unequal)))  # sign test, normal approximation
    if standard_errors < FEWEST_STANDARD_ERRORS or max(longer, 1 - longer) < LOPSIDED:
        return []
    ratio = float(np.median(unequal["answer_chars"] / np.maximum(1, unequal["rejected_chars"])))
    return [
        Observation(
            "answer_length_bias",
            f"the chosen answer is the longer one in {longer:.0%} of {len(unequal)} pairs, "
            f"by the median {ratio:.2f} times as long",
        )
    ]
