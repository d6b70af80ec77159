"""What a test set can show at all, said before it is used.

Right/wrong items are judged by McNemar's exact test (two-sided 5 %), and its power is computed exactly: the number of
items on which two arms disagree is binomial, and so is the number of those that the better arm wins.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, stats

LEVEL = 0.05
POWER = 0.8
# Share of items assumed to become wrong while others become right: a specialist is seldom better everywhere.
LOST = 0.05


def power_of(gain: float, n: int, *, lost: float = LOST, level: float = LEVEL) -> float:
    """The chance that n items show a gain: a share `gain + lost` of them becomes right, a share `lost` wrong.

    `gain` is a difference of accuracy in 0 … 1; the two shares together may not exceed 1.
    """
    disagree = min(1.0, gain + 2 * lost)
    if disagree <= 0:
        return 0.0
    discordant = np.arange(n + 1)
    needed = stats.binom.isf(level / 2, discordant, 0.5) + 1  # fewest wins that the two-sided test accepts
    wins_shown = stats.binom.sf(needed - 1, discordant, min(1.0, (gain + lost) / disagree))
    return float(np.sum(stats.binom.pmf(discordant, n, disagree) * wins_shown))


def smallest_gain(n: int, *, lost: float = LOST) -> float | None:
    """The smallest gain of accuracy that n items show with 80 % power; None when even the largest would be missed."""
    largest = 1 - 2 * lost
    if n < 1 or power_of(largest, n, lost=lost) < POWER:
        return None
    return float(optimize.brentq(lambda gain: power_of(gain, n, lost=lost) - POWER, 0.0, largest, xtol=1e-6))


def rows_for(gain: float, *, lost: float = LOST) -> int:
    """How many items show a gain of accuracy (above 0, at most 1 - 2·lost) with 80 % power."""
    if not 0 < gain <= 1 - 2 * lost:
        raise ValueError(f"a gain lies above 0 and is at most {1 - 2 * lost:g}: {gain}")
    enough = 1
    while power_of(gain, enough, lost=lost) < POWER:
        enough *= 2
    return _first_enough(gain, enough // 2, enough, lost)


def _first_enough(gain: float, too_few: int, enough: int, lost: float) -> int:
    """Halves the interval. Power falls a little at some n, because the test is discrete; this finds one crossing."""
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if power_of(gain, middle, lost=lost) >= POWER else (middle, enough)
    return enough


def _points(gain: float) -> int:
    return math.ceil(gain * 100 - 1e-6)


def can_show(n: int) -> str:
    """One sentence for the plan and the report: what n right/wrong rows show with a chance of 80 %."""
    gain, at_best = smallest_gain(n), smallest_gain(n, lost=0.0)
    if gain is None or at_best is None:
        return f"{n} {'row is' if n == 1 else 'rows are'} too few to show a gain reliably."
    return (
        f"{n} rows can show a gain of {_points(gain)} points or more with a chance of four in five, "
        f"if {LOST:.0%} of them get worse meanwhile; of {_points(at_best)} points if none does."
    )
