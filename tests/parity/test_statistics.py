"""The statistics of the verdict against scipy and statsmodels, where they have the test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from burnish.evals.power import smallest_shift
from burnish.evals.statistics import holm, mean_interval, one_sided_p, paired_difference

contingency = pytest.importorskip("statsmodels.stats.contingency_tables", reason="statsmodels is not installed")
multitest = pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels is not installed")
power = pytest.importorskip("statsmodels.stats.power", reason="statsmodels is not installed")
proportion = pytest.importorskip("statsmodels.stats.proportion", reason="statsmodels is not installed")

TABLES = [(30, 12, 5, 13), (0, 3, 3, 0), (50, 1, 0, 9), (200, 60, 35, 205), (5, 0, 8, 7), (10, 25, 25, 10)]


def arms(both: int, first: int, second: int, neither: int) -> tuple[list[int], list[int]]:
    """Scores of two arms: right in both, in the first alone, in the second alone, in neither."""
    ours = [1] * both + [1] * first + [0] * second + [0] * neither
    return ours, [1] * both + [0] * first + [1] * second + [0] * neither


@pytest.mark.parametrize("table", TABLES)
def test_right_and_wrong_answers_are_compared_as_mcnemars_exact_test_does(table: tuple[int, int, int, int]) -> None:
    both, first, second, neither = table
    wanted = contingency.mcnemar([[both, first], [second, neither]], exact=True).pvalue
    assert paired_difference(*arms(*table)).p == pytest.approx(wanted, rel=1e-9)
    assert wanted == pytest.approx(stats.binomtest(first, first + second, 0.5).pvalue, rel=1e-9)


@pytest.mark.parametrize(("right", "n"), [(0, 12), (1, 40), (8, 10), (250, 500), (40, 40)])
def test_a_share_has_wilsons_interval(right: int, n: int) -> None:
    mean = mean_interval([1.0] * right + [0.0] * (n - right))
    wanted = proportion.proportion_confint(right, n, alpha=0.05, method="wilson")
    assert (mean.low, mean.high) == pytest.approx(wanted, abs=1e-12)


def test_several_comparisons_are_corrected_as_holm_does() -> None:
    generator = np.random.default_rng(0)
    for count in (1, 2, 3, 7):
        p_values = generator.random(count).round(2).tolist()
        assert holm(p_values) == pytest.approx(multitest.multipletests(p_values, method="holm")[1])


@pytest.mark.parametrize("n", [8, 30, 120])
def test_other_scores_have_the_bca_interval_of_scipy(n: int) -> None:
    scores = np.random.default_rng(n).gamma(2.0, 0.2, n)
    wanted = stats.bootstrap((scores,), np.mean, n_resamples=9_999, method="BCa", rng=np.random.default_rng(7))
    mean = mean_interval(scores.tolist(), seed=7)
    assert (mean.low, mean.high) == pytest.approx(tuple(wanted.confidence_interval))


@pytest.mark.parametrize(("n", "side"), [(6, "greater"), (11, "less"), (45, "greater"), (45, "less")])
def test_paired_scores_are_permuted_as_scipy_does(n: int, side: str) -> None:
    generator = np.random.default_rng(n)
    ours, theirs = generator.normal(0.3, 1, n), generator.normal(0, 1, n)
    wanted = stats.permutation_test(
        (ours, theirs),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        alternative=side,
        n_resamples=9_999,
        rng=np.random.default_rng(3),
    )
    above, below = one_sided_p(ours.tolist(), theirs.tolist(), seed=3)
    assert (above if side == "greater" else below) == pytest.approx(wanted.pvalue)


@pytest.mark.parametrize(("n", "one_sided"), [(20, False), (200, False), (200, True)])
def test_the_smallest_shift_has_the_power_that_it_promises(n: int, one_sided: bool) -> None:
    shift = smallest_shift(0.4, n, one_sided=one_sided)
    seen = power.NormalIndPower().power(
        shift / 0.4, nobs1=n, alpha=0.05, ratio=0, alternative="larger" if one_sided else "two-sided"
    )
    assert seen == pytest.approx(0.8, abs=1e-4)
