import pytest

from burnish.core.errors import DataError
from burnish.core.power import power_of
from burnish.data.splitting.sizes import Sizes, choose_sizes, said, size_of_dev, size_of_test


def sizes(rows: int, *, share: float | None = None, own_test: bool = False, own_dev: bool = False) -> Sizes:
    return choose_sizes(rows, test_gain=0.05, test_share=share, dev_share=0.1, own_test=own_test, own_dev=own_dev)


@pytest.mark.parametrize(
    ("rows", "test", "dev"),
    # 498 rows show 5 points; below 2,490 rows that is more than a fifth. Dev is 10 % of what is left, 1,600 or 800 rows
    # here, at least 20 and at most 200 or a third. A fifth of 180 shows 30 points; a quarter of 100 is 25, of 12 is 3.
    [(20_000, 498, 200), (2_000, 400, 160), (1_000, 200, 80), (180, 36, 20), (100, 25, 20), (12, 3, 3)],
)
def test_the_test_is_as_large_as_a_useful_gain_takes_and_the_data_can_spare(rows: int, test: int, dev: int) -> None:
    assert sizes(rows) == Sizes(test, dev)


def test_498_rows_show_five_points() -> None:
    assert power_of(0.05, 498) >= 0.8 > power_of(0.05, 497)


@pytest.mark.parametrize(
    ("rows", "test", "dev"),
    # dev of the rows that are left: 10 % of 80 is 8, so 20; a third of 10 is 3; 10 % of 4000 is above 200
    [(100, 20, 20), (12, 2, 3), (1000, 200, 80), (5000, 1000, 200), (20_000, 1000, 200)],
)
def test_a_share_that_the_user_names_is_kept(rows: int, test: int, dev: int) -> None:
    assert size_of_test(rows, 0.05, 0.2) == test
    assert size_of_dev(rows - test, 0.1) == dev


def test_smaller_gains_take_more_rows_up_to_a_thousand() -> None:
    found = [size_of_test(50_000, gain) for gain in (0.2, 0.1, 0.05, 0.03)]
    assert found == [61, 168, 498, 1000]


def test_parts_of_the_users_own_are_not_held_out() -> None:
    assert sizes(100, own_test=True) == Sizes(0, 20)
    assert sizes(100, own_dev=True) == Sizes(25, 0)
    assert sizes(1, own_test=True, own_dev=True) == Sizes(0, 0)


def test_too_few_rows_say_how_many_are_needed() -> None:
    assert sizes(12)
    with pytest.raises(DataError, match="at least 12 rows, or a test file"):
        sizes(11)
    with pytest.raises(DataError, match="at least 4 rows") as caught:
        sizes(3, own_test=True)
    assert "test file" not in caught.value.next_move


def test_what_the_test_can_show_is_said() -> None:
    assert said(155, 0.1).startswith("155 rows can show a gain of 11 points or more")
    # by the exact power of McNemar's test: see tests of `core.power`
    assert said(155, 0.05).endswith(" Rows that show a gain: 10 points 168, 5 points 498, 2 points 2,438.")
    assert "30 points" in said(155, 0.3)
