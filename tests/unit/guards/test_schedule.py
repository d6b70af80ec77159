from __future__ import annotations

from burnish.guards.schedule import Schedule


def test_a_share_of_a_row_comes_every_other_time() -> None:
    """0.4 rows a step: 2 in every 5 steps."""
    schedule = Schedule(rows=100, per_update=0.4, seed=0)
    assert [len(schedule.at(step)) for step in range(10)] == [0, 0, 1, 0, 1, 0, 0, 1, 0, 1]


def test_every_row_comes_once_before_one_comes_again() -> None:
    schedule = Schedule(rows=7, per_update=2.5, seed=3)
    seen = [row for step in range(14) for row in schedule.at(step)]
    assert len(seen) == 35
    for epoch in range(5):
        assert sorted(seen[7 * epoch : 7 * epoch + 7]) == list(range(7))
    assert seen[:7] != seen[7:14]


def test_a_step_is_the_same_whenever_it_is_asked_for_and_another_seed_is_another_order() -> None:
    schedule = Schedule(rows=50, per_update=3.0, seed=1)
    assert schedule.at(5) == Schedule(50, 3.0, 1).at(5) != Schedule(50, 3.0, 2).at(5)
