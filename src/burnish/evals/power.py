"""What the test of a run can show. Right/wrong items: see `core.power`; here the mean of other scores."""

from __future__ import annotations

import math

from scipy import stats

from burnish.core.power import LEVEL, POWER, can_show, power_of, rows_for, smallest_gain

__all__ = ["can_show", "power_of", "rows_for", "smallest_gain", "smallest_shift"]


def smallest_shift(deviation: float, n: int, *, one_sided: bool = False) -> float:
    """The smallest mean difference that n items show with 80 % power, from the spread of the paired differences.

    The normal approximation (z₁₋α + z₀.₈)·σ/√n, in the unit of the score.
    """
    level = LEVEL if one_sided else LEVEL / 2
    return float((stats.norm.isf(level) + stats.norm.ppf(POWER)) * deviation / math.sqrt(n))
