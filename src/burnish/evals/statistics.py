"""Paired statistics: two arms answer the same items, and the differences are judged, never the two means apart.

Scores of 0 and 1 are judged by tests of paired proportions, all other scores by resampling. An interval and its test
never contradict each other: where the test does not reject, the interval is extended to the value that was tested.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from burnish.core.errors import DataError

RESAMPLES = 9_999
_CELLS_PER_BATCH = 2_000_000  # resampled scores held at once: 16 MB

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean paired difference, its interval, and the two-sided p of the value tested (0 unless said otherwise)."""

    delta: float
    low: float
    high: float
    p: float
    n: int
    method: str


@dataclass(frozen=True)
class Mean:
    """One arm's mean score over n items with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int
    method: str


def scores_of(values: Sequence[float]) -> Scores:
    """Scores in float64. Raises DataError: there is none, or one is not a finite number."""
    scores = np.asarray(values, dtype=np.float64)
    if scores.size == 0:
        raise DataError("There are no scores to judge.", next_move="evaluate at least one item")
    if not np.isfinite(scores).all():
        place = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise DataError("A score is not a finite number.", where=f"item {place + 1}", seen=str(scores[place]))
    return scores


def is_binary(scores: Scores) -> bool:
    """All scores are 0 or 1."""
    return bool(np.isin(scores, (0.0, 1.0)).all())


# --- Scores of 0 and 1 ------------------------------------------------------------------------------------------------


def tango_statistic(wins: int, losses: int, n: int, delta: float) -> float:
    """Tango's score statistic for "the paired proportions differ by delta", asymptotically standard normal.

    wins: items that only the first arm has right; losses: those that only the second has. At delta = 0 it is McNemar's
    (wins - losses) / sqrt(wins + losses). Source: Tango 1998, Statistics in Medicine 17, 891-908.
    """
    distance = wins - losses - n * delta
    linear = -wins - losses + (2 * n - wins + losses) * delta
    root = math.sqrt(max(0.0, linear**2 + 8 * n * losses * delta * (1 - delta)))
    only_second = max(0.0, (root - linear) / (4 * n), -delta)
    variance = n * (2 * only_second + delta * (1 - delta))
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def tango_interval(wins: int, losses: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """All differences of paired proportions that `tango_statistic` does not reject."""
    z = float(stats.norm.ppf((1 + level) / 2))
    edge = 1 - 1e-12

    def bound(target: float, start: float, end: float) -> float:
        def excess(delta: float) -> float:
            return max(-1e6, min(1e6, tango_statistic(wins, losses, n, delta))) - target

        if excess(start) * excess(end) > 0:
            return round(end)
        return float(optimize.brentq(excess, start, end, xtol=1e-12))

    middle = min(edge, max(-edge, (wins - losses) / n))
    return bound(z, middle, -edge), bound(-z, middle, edge)


def _binary_tails(wins: int, losses: int, n: int, null: float) -> tuple[float, float]:
    """One-sided p of "greater than null" and "less than null": McNemar's exact test at 0, Tango's elsewhere."""
    if null == 0:
        discordant = wins + losses
        return float(stats.binom.sf(wins - 1, discordant, 0.5)), float(stats.binom.cdf(wins, discordant, 0.5))
    statistic = tango_statistic(wins, losses, n, null)
    return float(stats.norm.sf(statistic)), float(stats.norm.cdf(statistic))


# --- All other scores -------------------------------------------------------------------------------------------------


def unseen_half_width(n: int, level: float) -> float:
    """How far a mean may be from the one value that all n items gave.

    Items that never differ do not prove that none would. A share of up to z²/(n + z²) of differing items is compatible
    with seeing none (Wilson's and Tango's intervals at zero); this is the width when each differs by one unit.
    """
    z = float(stats.norm.ppf((1 + level) / 2))
    return z**2 / (n + z**2)


def _bootstrap_interval(values: Scores, level: float, seed: int, unit: float) -> tuple[float, float, str]:
    """BCa bootstrap of the mean (Efron 1987), the percentile form where that is undefined.

    Where all values are one, an unseen one is taken to differ by `unit`.
    """
    if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
        centre, half = float(values.mean()), unit * unseen_half_width(values.size, level)
        return centre - half, centre + half, "one value in all items"
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            interval = stats.bootstrap(
                (values,),
                np.mean,
                n_resamples=RESAMPLES,
                batch=max(1, _CELLS_PER_BATCH // values.size),
                confidence_level=level,
                method=method,
                rng=np.random.default_rng(seed),
            ).confidence_interval
        if np.isfinite(interval).all():
            break
    return float(interval.low), float(interval.high), f"{method} bootstrap"


def _sign_flip_tails(differences: Scores, seed: int) -> tuple[float, float]:
    """One-sided p of a mean above and below zero when every difference might as well have the other sign.

    Every pattern of signs is counted where there are fewer than `RESAMPLES`, else that many are drawn. Under equal arms
    the test is exact at every n (Fisher 1935).
    """
    if differences.size < 2 or not differences.any():
        return 1.0, 1.0
    null = stats.permutation_test(
        (differences,),
        lambda sample, axis: np.mean(sample, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, _CELLS_PER_BATCH // differences.size),
        rng=np.random.default_rng(seed),
    ).null_distribution
    drawn = int(null.size == RESAMPLES)  # the pattern seen counts as one of those drawn
    seen, slack = differences.mean(), 1e-12 * float(np.abs(differences).mean())
    above, below = int(np.sum(null >= seen - slack)), int(np.sum(null <= seen + slack))
    return (above + drawn) / (null.size + drawn), (below + drawn) / (null.size + drawn)


# --- What the verdict calls -------------------------------------------------------------------------------------------


def _counts(differences: Scores) -> tuple[int, int, int]:
    return int(np.sum(differences > 0)), int(np.sum(differences < 0)), differences.size


def one_sided_p(a: Sequence[float], b: Sequence[float], *, null: float = 0.0, seed: int = 0) -> tuple[float, float]:
    """One-sided p of "a - b is greater than null" and of "a - b is less than null", over paired items."""
    first, second = scores_of(a), scores_of(b)
    if is_binary(first) and is_binary(second):
        return _binary_tails(*_counts(first - second), null)
    return _sign_flip_tails(first - second - null, seed)


def paired_difference(
    a: Sequence[float], b: Sequence[float], *, level: float = 0.95, null: float = 0.0, seed: int = 0
) -> Estimate:
    """The mean of a - b over the same items in the same order, with an interval of the given level.

    A bound of a 0.90 interval is a one-sided 5 % bound. `p` is two-sided for "the difference is `null`", twice the
    smaller tail. Where all differences are equal, an unseen item is taken to differ by the spread of b's scores.

    Raises DataError: no items, or a score that is not finite.
    """
    first, second = scores_of(a), scores_of(b)
    differences = first - second
    if is_binary(first) and is_binary(second):
        low, high = tango_interval(*_counts(differences), level)
        method = "Tango's interval, " + ("exact McNemar test" if null == 0 else "Tango's score test")
    else:
        low, high, method = _bootstrap_interval(differences, level, seed, unit=float(second.std()) or 1.0)
        method += ", sign-flip test"
    above, below = one_sided_p(a, b, null=null, seed=seed)
    tail = (1 - level) / 2
    if above >= tail:
        low = min(low, null)
    if below >= tail:
        high = max(high, null)
    return Estimate(float(differences.mean()), low, high, min(1.0, 2 * min(above, below)), differences.size, method)


def mean_interval(values: Sequence[float], *, level: float = 0.95, seed: int = 0) -> Mean:
    """One arm's mean: Wilson's interval for scores of 0 and 1 (Wilson 1927), the bootstrap for the rest."""
    scores = scores_of(values)
    if is_binary(scores):
        interval = stats.binomtest(int(scores.sum()), scores.size).proportion_ci(level, method="wilson")
        return Mean(float(scores.mean()), float(interval.low), float(interval.high), scores.size, "Wilson")
    low, high, method = _bootstrap_interval(scores, level, seed, unit=1.0)
    return Mean(float(scores.mean()), low, high, scores.size, method)


def standard_error(values: Sequence[float]) -> float:
    """Of a mean over independent items: their standard deviation (n - 1) by the root of n; 0 for one item."""
    scores = scores_of(values)
    return float(np.std(scores, ddof=1) / np.sqrt(scores.size)) if scores.size > 1 else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p, in the order given: each may be compared with the level that holds for all together.

    The k-th smallest of m is multiplied by m - k + 1 and never falls below the one before it (Holm 1979).
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = largest
    return adjusted


def macro_f1(predicted: Sequence[str], expected: Sequence[str], *, level: float = 0.95, seed: int = 0) -> Mean:
    """The mean over the expected labels of each label's F1, with a percentile bootstrap over items.

    An answer that is no expected label is a miss and belongs to no label. A resample counts the labels that it holds.
    """
    labels = sorted(set(expected))
    if not labels:
        raise DataError("There are no labels to judge.", next_move="evaluate at least one item")
    wanted_N_L = np.array([[answer == label for label in labels] for answer in expected], dtype=np.float64)
    given_N_L = np.array([[answer == label for label in labels] for answer in predicted], dtype=np.float64)
    n = len(expected)

    def score(weights_R_N: Scores) -> Scores:
        hits_R_L, total_R_L = weights_R_N @ (wanted_N_L * given_N_L), weights_R_N @ (wanted_N_L + given_N_L)
        present_R_L = weights_R_N @ wanted_N_L > 0
        f1_R_L = np.divide(2 * hits_R_L, total_R_L, out=np.zeros_like(hits_R_L), where=total_R_L > 0)
        means_R: Scores = (f1_R_L * present_R_L).sum(1) / present_R_L.sum(1)
        return means_R

    return resampled(score, n, level=level, seed=seed)


def resampled(score: Callable[[Scores], Scores], n: int, *, level: float = 0.95, seed: int = 0) -> Mean:
    """A score of all n items together, with a percentile bootstrap over items.

    `score` takes weights_R_N, how often each item stands in each of R resamples, and gives the R scores.
    """
    weights_R_N = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=2_000).astype(np.float64)
    low, high = np.quantile(score(weights_R_N), [(1 - level) / 2, (1 + level) / 2])
    return Mean(float(score(np.ones((1, n)))[0]), float(low), float(high), n, "percentile bootstrap")
