"""A win rate that may be looked at after every vote: its interval and test hold at all times together.

The method is betting against each possible rate (Waudby-Smith & Ramdas 2024, "Estimating means of bounded random
variables by betting", JRSS B 86): who bets on a rate that is right cannot expect to gain, so by Ville's inequality
(1939) the capital ever exceeds 1/α with a chance of at most α. The bets are mixed over fixed sizes, so the capital
depends on the counts alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]

LEVEL = 0.05
_SIZES = (np.arange(100) + 0.5) / 100  # of a bet, as a share of the largest that cannot ruin


@dataclass(frozen=True)
class Rate:
    """The share of votes won, a tie counted half, with an interval that is valid at every time."""

    rate: float
    low: float
    high: float


def log_capital(won: ArrayLike, tied: ArrayLike, lost: ArrayLike, rate: float) -> Floats:
    """Log of what one unit has become that was bet on "more than `rate` is won", rate in (0, 1); for each count given.

    One vote with score x in {0, ½, 1} multiplies a bet of size s by 1 + s (x - rate) / rate, whose expectation is at
    most 1 when the true rate is at most `rate`.
    """
    grown = sum(
        np.asarray(count)[..., None] * np.log1p(_SIZES * (score - rate) / rate)
        for count, score in ((won, 1.0), (tied, 0.5), (lost, 0.0))
    )
    mixed: Floats = special.logsumexp(grown, axis=-1) - np.log(len(_SIZES))
    return mixed


def anytime_rate(won: int, tied: int, lost: int, *, level: float = LEVEL) -> Rate:
    """The win rate with its 1 - level confidence sequence: half the error on either side. Without a vote: ½, 0 to 1."""
    total = won + tied + lost
    if not total:
        return Rate(0.5, 0.0, 1.0)
    return Rate((won + tied / 2) / total, _lower(won, tied, lost, level / 2), 1 - _lower(lost, tied, won, level / 2))


def _lower(won: int, tied: int, lost: int, error: float) -> float:
    """The smallest rate that a bet on "more" has not refuted; capital falls as the rate grows."""
    edge, wanted = 1e-9, -math.log(error)

    def excess(rate: float) -> float:
        return float(log_capital(won, tied, lost, rate) - wanted)

    if excess(edge) <= 0:
        return 0.0
    if excess(1 - edge) >= 0:
        return 1.0
    return float(optimize.brentq(excess, edge, 1 - edge, xtol=1e-9))


def says(rate: Rate, left: int) -> str:
    """ "go on", or that it is enough and why. `left`: pairs of answers that nobody has voted on."""
    if rate.low > 0.5:
        return "enough: specialist preferred"
    if rate.high < 0.5:
        return "enough: opponent preferred"
    return "go on" if left else "all voted: no preference shown"
