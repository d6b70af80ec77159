"""Bradley-Terry: by hand for two arms, against statsmodels for three, and its interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from burnish.evals.arena.strength import bradley_terry, strengths


def test_two_arms_differ_by_the_log_of_their_wins() -> None:
    """30 against 10: log 3 = 1.0986, half to either side of zero."""
    found = bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]), prior=0.0)
    assert found == pytest.approx([math.log(3) / 2, -math.log(3) / 2])


def test_a_tie_is_half_a_win_for_each() -> None:
    """20 wins, 10 losses, 10 ties: log (25 / 15)."""
    found = bradley_terry(np.array([[0.0, 25.0], [15.0, 0.0]]), prior=0.0)
    assert found[0] - found[1] == pytest.approx(math.log(25 / 15))


def test_a_clean_sweep_stays_finite() -> None:
    """20 to 0 with half a win added to either: log (20.5 / 0.5) = 3.714."""
    found = bradley_terry(np.array([[0.0, 20.0], [0.0, 0.0]]))
    assert found[0] - found[1] == pytest.approx(math.log(41))


def test_three_arms_equal_a_logistic_regression() -> None:
    wins = np.array([[0.0, 14.5, 21.0], [9.5, 0.0, 13.0], [6.0, 11.0, 0.0]])
    design, won, weight = [], [], []
    for a in range(3):
        for b in range(3):
            if a != b:
                row = np.zeros(3)
                row[a], row[b] = 1, -1
                design.append(row[1:])  # arm 0 is the reference
                won.append(1.0)
                weight.append(wins[a, b])
                design.append(-row[1:])
                won.append(0.0)
                weight.append(wins[a, b])
    model = sm.GLM(np.array(won), np.array(design), family=sm.families.Binomial(), freq_weights=np.array(weight) / 2)
    theirs = np.concatenate([[0.0], model.fit(tol=1e-12).params])
    assert bradley_terry(wins, prior=0.0) == pytest.approx(theirs - theirs.mean(), abs=1e-8)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """True difference 1, 120 items, 100 trials: at least 88 of 100 intervals should hold it."""
    rng, held = np.random.default_rng(5), 0
    chance = 1 / (1 + math.exp(-1))
    for trial in range(100):
        won = rng.random(120) < chance
        wins = np.zeros((120, 2, 2))
        wins[:, 0, 1], wins[:, 1, 0] = won, ~won
        first, _ = strengths(["tuned", "base"], wins, seed=trial)
        held += first.low <= 0.5 <= first.high
    assert held >= 88
