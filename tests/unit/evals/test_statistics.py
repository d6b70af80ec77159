import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from burnish.core.errors import DataError
from burnish.evals.statistics import (
    holm,
    macro_f1,
    mean_interval,
    one_sided_p,
    paired_difference,
    tango_interval,
    tango_statistic,
    unseen_half_width,
)


def pairs(wins, losses, n):
    """Scores of two arms with so many discordant items; of the others half are right in both."""
    both = (n - wins - losses) // 2
    neither = n - wins - losses - both
    return [1] * (wins + both) + [0] * (losses + neither), [0] * wins + [1] * (both + losses) + [0] * neither


# --- Tango ------------------------------------------------------------------------------------------------------------


def test_tango_interval_of_a_published_table():
    # Airway hyper-responsiveness before and after transplantation (Bentur et al. 2009), cells 1, 1, 7, 12, as worked
    # through by Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33: -0.517 to -0.026.
    low, high = tango_interval(1, 7, 21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


def test_tango_statistic_at_zero_is_mcnemar():
    # (12 - 5) / sqrt(12 + 5)
    assert tango_statistic(12, 5, 60, 0.0) == pytest.approx(7 / math.sqrt(17))


def test_tango_bounds_solve_the_score_equation():
    for wins, losses, n in ((12, 5, 60), (3, 0, 20), (0, 9, 10), (30, 30, 61)):
        low, high = tango_interval(wins, losses, n)
        assert tango_statistic(wins, losses, n, low) == pytest.approx(1.959964, abs=1e-5)
        assert tango_statistic(wins, losses, n, high) == pytest.approx(-1.959964, abs=1e-5)


def test_tango_interval_mirrors_when_the_arms_change_places():
    low, high = tango_interval(12, 5, 60)
    assert tango_interval(5, 12, 60) == pytest.approx((-high, -low))


def test_no_discordant_item_leaves_the_interval_of_one_that_was_not_seen():
    # z² / (n + z²) = 3.8415 / 103.8415
    assert tango_interval(0, 0, 100) == pytest.approx((-0.036994, 0.036994), abs=1e-6)
    assert unseen_half_width(100, 0.95) == pytest.approx(0.036994, abs=1e-6)


def test_all_items_won_reaches_one():
    low, high = tango_interval(10, 0, 10)
    assert high == 1.0
    assert 0 < low < 1


def test_tango_interval_covers_the_true_difference_as_often_as_it_says():
    rng = np.random.default_rng(5)
    wins, losses, _ = rng.multinomial(60, [0.30, 0.15, 0.55], size=600).T
    covered = [
        low <= 0.15 <= high
        for low, high in (tango_interval(won, lost, 60) for won, lost in zip(wins, losses, strict=True))
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


# --- Paired differences -----------------------------------------------------------------------------------------------


def test_right_and_wrong_are_judged_by_the_exact_mcnemar_test():
    # 7 wins, 0 losses: two-sided p = 2 / 2^7
    estimate = paired_difference(*pairs(7, 0, 20))
    assert estimate.delta == pytest.approx(0.35)
    assert estimate.p == pytest.approx(2 / 2**7)
    assert estimate.p == pytest.approx(stats.binomtest(7, 7, 0.5).pvalue)
    assert estimate.n == 20


def test_interval_and_exact_test_never_contradict_each_other():
    for wins in range(14):
        for losses in range(14):
            estimate = paired_difference(*pairs(wins, losses, 40))
            significant = stats.binomtest(wins, wins + losses, 0.5).pvalue < 0.05 if wins + losses else False
            assert (estimate.low > 0 or estimate.high < 0) == significant, (wins, losses)
            assert estimate.low <= estimate.delta <= estimate.high


def test_equal_arms_differ_by_zero_with_an_honest_width():
    # Right and wrong: an unseen item differs by 1; other scores: by their spread, here 0.22494.
    for scores, unit in (([1, 0, 1, 1, 0] * 10, 1.0), ([0.5, 0.25, 0.75, 0.1, 0.3] * 10, 0.22494)):
        estimate = paired_difference(scores, scores)
        assert (estimate.delta, estimate.p) == (0.0, 1.0)
        assert estimate.high == pytest.approx(unit * unseen_half_width(50, 0.95), rel=1e-3)
        assert estimate.low == pytest.approx(-estimate.high)


def test_a_constant_difference_is_not_taken_for_certainty():
    scores = np.linspace(1, 2, 20)
    estimate = paired_difference(scores + 0.3, scores)
    assert estimate.delta == pytest.approx(0.3)
    assert 0 < estimate.low < 0.3 < estimate.high


def test_bootstrap_interval_is_that_of_scipy():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.3, 1, 50), rng.normal(0, 1, 50)
    wanted = stats.bootstrap((a - b,), np.mean, n_resamples=9_999, method="BCa", rng=np.random.default_rng(4))
    estimate = paired_difference(a, b, seed=4, null=-10.0)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(wanted.confidence_interval))


def test_sign_flips_of_few_items_are_counted_in_full():
    # Differences 1, 2, 3, 4, 5 are all above zero: of 2^5 patterns one has so large a mean.
    above, below = one_sided_p([2.0, 4.0, 6.0, 8.0, 10.0], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert (above, below) == (1 / 32, 1.0)


def test_sign_flips_of_many_items_agree_with_scipys_test():
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.2, 1, 60), rng.normal(0, 1, 60)
    wanted = stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", alternative="greater", rng=np.random.default_rng(9)
    )
    assert one_sided_p(a, b, seed=9)[0] == pytest.approx(wanted.pvalue)


def test_few_items_prove_nothing():
    # Five differences of one sign: two-sided p = 2 / 32 > 0.05
    estimate = paired_difference([0.9, 0.8, 0.7, 0.8, 0.95], [0.1, 0.2, 0.1, 0.15, 0.3])
    assert estimate.low == 0.0
    for n in (1, 2):
        assert paired_difference([0.9, 0.7][:n], [0.1, 0.2][:n]).low <= 0


def test_a_narrower_level_gives_one_sided_bounds():
    a, b = pairs(12, 4, 60)
    wide, narrow = paired_difference(a, b, level=0.95), paired_difference(a, b, level=0.90)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert narrow.low == pytest.approx(tango_interval(12, 4, 60, 0.90)[0])


def test_a_shifted_null_of_proportions_is_tangos_test():
    statistic = tango_statistic(3, 5, 100, -0.05)
    above, below = one_sided_p(*pairs(3, 5, 100), null=-0.05)
    assert (above, below) == pytest.approx((stats.norm.sf(statistic), stats.norm.cdf(statistic)))


def test_the_same_seed_gives_the_same_numbers():
    rng = np.random.default_rng(3)
    a, b = rng.random(40), rng.random(40)
    assert paired_difference(a, b, seed=1) == paired_difference(a, b, seed=1)
    assert paired_difference(a, b, seed=1) != paired_difference(a, b, seed=2)


# Trials, and the number of false alarms that binomial(trials, 0.05) exceeds in about 1 % of cases.
@pytest.mark.parametrize(("kind", "trials", "most"), [("binary", 300, 25), ("normal", 50, 7), ("skewed", 50, 7)])
def test_equal_arms_are_told_apart_in_at_most_five_of_a_hundred_trials(kind, trials, most):
    rng = np.random.default_rng(17)
    draw = {
        "binary": lambda: (rng.random(30) < 0.6).astype(float),
        "normal": lambda: rng.normal(size=30),
        "skewed": lambda: rng.lognormal(0, 1.5, size=30),
    }[kind]
    estimates = [paired_difference(draw(), draw(), seed=trial) for trial in range(trials)]
    assert sum(estimate.low > 0 or estimate.high < 0 for estimate in estimates) <= most


@pytest.mark.parametrize("scores", [[], [float("nan")], [1.0, float("inf")]])
def test_scores_that_cannot_be_judged_are_refused(scores):
    with pytest.raises(DataError):
        paired_difference(scores, scores)


# --- Means, Holm, macro-F1 --------------------------------------------------------------------------------------------


def test_wilson_interval_of_a_share():
    # 8 of 10 at z = 1.96: (0.8 + 1.92/10 ± 1.96·sqrt(0.016 + 0.0096)) / 1.384 = 0.4902 … 0.9433
    mean = mean_interval([1] * 8 + [0] * 2)
    assert (mean.mean, round(mean.low, 4), round(mean.high, 4)) == (0.8, 0.4902, 0.9433)


def test_mean_of_other_scores_has_a_bootstrap_interval():
    values = np.random.default_rng(0).random(60)
    mean = mean_interval(values)
    assert mean.low < mean.mean < mean.high
    assert mean.method == "BCa bootstrap"


def test_holm_by_hand():
    # Sorted 0.01, 0.03, 0.04 with factors 3, 2, 1: 0.03, 0.06, max(0.06, 0.04).
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_macro_f1_by_hand():
    # a: 1 hit, 2 given, 1 expected: 2/3. b: 1 hit, 1 given, 3 expected: 1/2. Mean 7/12; "x" is a miss.
    assert macro_f1(["a", "b", "x", "a"], ["a", "b", "b", "b"]).mean == pytest.approx(7 / 12)


def test_macro_f1_is_that_of_sklearn():
    rng = np.random.default_rng(8)
    labels = ["a", "b", "c", "d"]
    expected, predicted = rng.choice(labels, 100).tolist(), rng.choice([*labels, "e"], 100).tolist()
    wanted = f1_score(expected, predicted, labels=labels, average="macro", zero_division=0)
    mean = macro_f1(predicted, expected)
    assert mean.mean == pytest.approx(wanted)
    assert mean.low < mean.mean < mean.high
