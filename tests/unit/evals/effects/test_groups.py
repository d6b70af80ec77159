"""Scores by a column of the test rows."""

from __future__ import annotations

import pytest

from burnish.evals.effects.groups import MOST_GROUPS, OTHERS, group_column


def test_the_largest_gap_is_the_distance_of_two_means() -> None:
    values = ["north"] * 40 + ["south"] * 40
    scores = {"tuned": [1.0] * 36 + [0.0] * 4 + [1.0] * 20 + [0.0] * 20, "base": [1.0, 0.0] * 40}
    found = group_column("region", values, "correct", scores, seed=0)
    assert [(one.group, one.n, one.scores["tuned"].mean) for one in found.groups] == [
        ("north", 40, 0.9),
        ("south", 40, 0.5),
    ]
    tuned, base = found.gaps
    assert (tuned.gap, tuned.best, tuned.worst) == (pytest.approx(0.4), "north", "south")
    assert tuned.p < 0.01
    assert (base.gap, base.p) == (0.0, 1.0)  # every permutation has a gap at least as large as none
    assert found.warning == ""


def test_the_p_value_agrees_with_fishers_exact_test() -> None:
    from scipy.stats import fisher_exact

    scores = [1.0] * 14 + [0.0] * 6 + [1.0] * 8 + [0.0] * 12
    (gap,) = group_column("g", ["a"] * 20 + ["b"] * 20, "correct", {"tuned": scores}, seed=1).gaps
    assert gap.p == pytest.approx(fisher_exact([[14, 6], [8, 12]]).pvalue, abs=0.03)


def test_small_groups_are_named_and_the_smallest_take_no_part() -> None:
    values = ["a"] * 40 + ["b"] * 20 + ["c"] * 3
    scores = {"tuned": [1.0] * 60 + [0.0] * 3}
    found = group_column("g", values, "correct", scores, seed=0)
    assert found.gaps[0].gap == 0.0
    assert "c (3)" in found.warning
    assert "b (20)" in found.warning


def test_one_group_has_no_gap_and_very_many_are_put_together() -> None:
    assert group_column("g", ["a"] * 12, "correct", {"tuned": [1.0] * 12}, seed=0).gaps == ()
    values = [f"g{n}" for n in range(30)] + ["g1"]
    found = group_column("g", values, "correct", {"tuned": [1.0] * 31}, seed=0)
    assert len(found.groups) == MOST_GROUPS + 1
    assert found.groups[0].group == "g1"
    assert found.groups[-1].group == OTHERS
