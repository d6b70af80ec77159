from __future__ import annotations

from burnish.train.order import epoch_order, rows_of_update


def test_every_row_is_seen_once_an_epoch() -> None:
    for epoch in range(5):
        seen = [row for step in range(epoch * 5, epoch * 5 + 5)
                for row in rows_of_update(step, seed=3, rows=10, rows_per_update=2)]  # fmt: skip
        assert sorted(seen) == list(range(10))
        assert tuple(seen) == epoch_order(3, epoch, 10)


def test_an_update_may_span_two_epochs_and_is_always_full() -> None:
    # 7 rows, 3 an update: update 2 takes the last row of epoch 0 and the first two of epoch 1.
    update = rows_of_update(2, seed=0, rows=7, rows_per_update=3)
    assert update == [epoch_order(0, 0, 7)[6], *epoch_order(0, 1, 7)[:2]]
    assert all(len(rows_of_update(step, seed=0, rows=7, rows_per_update=3)) == 3 for step in range(50))


def test_the_order_is_a_function_of_seed_and_epoch_alone() -> None:
    backwards = [rows_of_update(step, seed=1, rows=9, rows_per_update=4) for step in reversed(range(20))]
    epoch_order.cache_clear()
    assert backwards[::-1] == [rows_of_update(step, seed=1, rows=9, rows_per_update=4) for step in range(20)]
    assert epoch_order(1, 0, 50) != epoch_order(2, 0, 50)
    assert epoch_order(1, 0, 50) != epoch_order(1, 1, 50)


def test_the_order_is_the_same_on_every_machine() -> None:
    # Philox counts and does not remember: these numbers must never change, or resumed runs would see other rows.
    assert epoch_order(0, 0, 6) == EXPECTED


EXPECTED = (0, 5, 1, 2, 4, 3)


def test_in_order_the_first_epoch_takes_the_rows_as_they_stand_and_later_ones_by_chance() -> None:
    seen = [row for step in range(6) for row in rows_of_update(step, seed=3, rows=6, rows_per_update=2, in_order=True)]
    assert seen[:6] == [0, 1, 2, 3, 4, 5]
    assert seen[6:] == list(epoch_order(3, 1, 6))
    assert sorted(seen[6:]) == seen[:6]
