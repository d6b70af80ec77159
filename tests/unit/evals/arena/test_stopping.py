"""A win rate that may be looked at after every vote."""

from __future__ import annotations

import math

import numpy as np
import pytest

from burnish.evals.arena.stopping import anytime_rate, log_capital, says

SIMULATIONS, VOTES = 1_000, 300


def test_capital_by_hand() -> None:
    """One win at rate ½ doubles a bet of size 1 and multiplies one of size s by 1 + s; their mean over (0, 1) is 1½.
    One loss multiplies it by 1 - s: ½. One tie leaves it alone."""
    assert math.exp(log_capital(1, 0, 0, 0.5)) == pytest.approx(1.5)
    assert math.exp(log_capital(0, 0, 1, 0.5)) == pytest.approx(0.5)
    assert math.exp(log_capital(0, 1, 0, 0.5)) == pytest.approx(1.0)


def test_without_votes_everything_is_possible_and_the_two_sides_are_alike() -> None:
    assert (anytime_rate(0, 0, 0).low, anytime_rate(0, 0, 0).high) == (0.0, 1.0)
    one, other = anytime_rate(9, 3, 4), anytime_rate(4, 3, 9)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))
    assert one.low < one.rate == 10.5 / 16 < one.high


def test_what_is_said() -> None:
    assert says(anytime_rate(3, 0, 0), 10) == "go on"
    assert says(anytime_rate(20, 2, 1), 10) == "enough: specialist preferred"
    assert says(anytime_rate(1, 2, 20), 10) == "enough: opponent preferred"
    assert says(anytime_rate(5, 5, 5), 0) == "all voted: no preference shown"


def decided(win: float, tie: float, seed: int) -> float:
    """The share of simulations that say "enough" at any of their votes, each looked at."""
    drawn = np.random.default_rng(seed).random((SIMULATIONS, VOTES))
    won, tied = np.cumsum(drawn < win, 1), np.cumsum((drawn >= win) & (drawn < win + tie), 1)
    lost = np.arange(1, VOTES + 1) - won - tied
    counts, place = np.unique(np.stack([won, tied, lost]).reshape(3, -1), axis=1, return_inverse=True)
    # both sides at ½, without the search for the interval's ends
    enough = np.maximum(log_capital(*counts, 0.5), log_capital(*counts[::-1], 0.5)) > math.log(40)
    return float(enough[place].reshape(SIMULATIONS, VOTES).any(1).mean())


@pytest.mark.parametrize(("win", "tie"), [(0.5, 0.0), (0.3, 0.4)])
def test_equal_arms_are_called_different_in_at_most_5_percent_though_looked_at_after_every_vote(
    win: float, tie: float
) -> None:
    """0.0634 is the 97.5 % bound of a binomial share of 1,000 at 0.05."""
    assert decided(win, tie, seed=11) <= 0.0634


def test_the_shortcut_of_the_simulation_is_the_rule_itself() -> None:
    for won, tied, lost in [(12, 0, 2), (11, 3, 3), (40, 10, 22), (30, 0, 14), (2, 9, 14), (31, 0, 13)]:
        short = max(log_capital(won, tied, lost, 0.5), log_capital(lost, tied, won, 0.5)) > math.log(40)
        rate = anytime_rate(won, tied, lost)
        assert short == (rate.low > 0.5 or rate.high < 0.5)


def test_a_clear_preference_is_found() -> None:
    assert decided(0.7, 0.1, seed=12) > 0.95
