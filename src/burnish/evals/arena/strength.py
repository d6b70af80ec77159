"""Bradley-Terry strengths: log P(a beats b) - log P(b beats a) = strength of a - strength of b (1952).

A tie counts as half a win for each. Strengths have mean zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR = 0.5  # wins of either over the other that are added to every pair met: keeps a clean sweep finite
RESAMPLES = 1_000
_STEPS, _SMALL = 100, 1e-12


@dataclass(frozen=True)
class Strength:
    """One arm's strength in log-odds with a 95 % interval."""

    arm: str
    value: float
    low: float
    high: float


def bradley_terry(wins_A_A: Floats, *, prior: float = PRIOR) -> Floats:
    """The likeliest strengths; wins_A_A[a, b] is how often a beat b.

    Every arm must have met another, and all must hang together.
    """
    strength_A: Floats = _newton((wins_A_A + prior * _met(wins_A_A))[None])[0]
    return strength_A


def _met(wins_A_A: Floats) -> Floats:
    met_A_A: Floats = ((wins_A_A + wins_A_A.T) > 0).astype(np.float64)
    return met_A_A


def _newton(wins_R_A_A: Floats) -> Floats:
    """Strengths for R tables of wins. Newton's method, as the likelihood is concave; steps are kept short."""
    games_R_A_A = wins_R_A_A + wins_R_A_A.swapaxes(1, 2)
    strength_R_A = np.zeros(wins_R_A_A.shape[:2])
    for _ in range(_STEPS):
        chance_R_A_A = 1 / (1 + np.exp(strength_R_A[:, None, :] - strength_R_A[:, :, None]))
        slope_R_A = (wins_R_A_A - games_R_A_A * chance_R_A_A).sum(2)
        bend_R_A_A = games_R_A_A * chance_R_A_A * (1 - chance_R_A_A)
        hessian_R_A_A = np.eye(slope_R_A.shape[1]) * bend_R_A_A.sum(2)[:, :, None] - bend_R_A_A
        # A common shift changes nothing, so the Hessian is singular: the added constant asks for a step of mean zero.
        step_R_A = np.linalg.solve(hessian_R_A_A + 1.0, slope_R_A[:, :, None])[:, :, 0]
        strength_R_A = strength_R_A + np.clip(step_R_A, -2, 2)
        if np.abs(step_R_A).max() < _SMALL:
            break
    centred_R_A: Floats = strength_R_A - strength_R_A.mean(1, keepdims=True)
    return centred_R_A


def strengths(arms: Sequence[str], wins_I_A_A: Floats, *, seed: int = 0) -> tuple[Strength, ...]:
    """wins_I_A_A: wins on each of I items. Percentile bootstrap over items, as votes on one item belong together.

    A resample in which some pair was not met keeps the prior's votes for it.
    """
    total_A_A = wins_I_A_A.sum(0)
    value_A = bradley_terry(total_A_A)
    rng, count = np.random.default_rng(seed), len(wins_I_A_A)
    weights_R_I = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    sums_R_A_A = np.einsum("ri,iab->rab", weights_R_I, wins_I_A_A)
    drawn_R_A = _newton(sums_R_A_A + PRIOR * _met(total_A_A))
    low_A, high_A = np.quantile(drawn_R_A, [0.025, 0.975], axis=0)
    return tuple(
        Strength(arm, float(value), float(low), float(high))
        for arm, value, low, high in zip(arms, value_A, low_A, high_A, strict=True)
    )
