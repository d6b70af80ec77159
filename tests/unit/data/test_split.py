from collections import Counter

import pytest

from burnish.core.errors import DataError
from burnish.core.records import Chat, Message, Row
from burnish.data.split import hold_out, size_of_dev, size_of_test, split

SHARES = (0.2, 0.1)


def row(number: int, group: str, answer: str) -> Chat:
    return Chat(f"id{number}", (Message("user", f"q{number}"), Message("assistant", answer)), f"f:{number}", group)


def answers(rows: list[Row]) -> Counter[str]:
    return Counter(one.answer for one in rows if isinstance(one, Chat))


@pytest.mark.parametrize(
    ("rows", "test", "dev"),
    # dev of the rows that are left: 10 % of 80 is 8, so 20; a third of 10 is 3; 10 % of 4000 is above 200
    [(100, 20, 20), (12, 2, 3), (1000, 200, 80), (5000, 1000, 200), (20_000, 1000, 200)],
)
def test_sizes_of_the_parts(rows: int, test: int, dev: int) -> None:
    assert size_of_test(rows, 0.2) == test
    assert size_of_dev(rows - test, 0.1) == dev


def test_groups_never_stand_on_two_sides() -> None:
    rows: list[Row] = [row(number, f"g{number // 3 % 40}", f"answer {number}") for number in range(300)]
    for seed in range(30):
        parts = split(rows, own_dev=None, own_test=None, shares=SHARES, seed=seed)
        sides = [{one.group for one in part} for part in (parts.train, parts.dev, parts.test)]
        assert sum(map(len, sides)) == len(set.union(*sides))
        assert sorted(one.id for one in parts.train + parts.dev + parts.test) == sorted(one.id for one in rows)
        # 40 groups, each of 6 or 9 rows: a quota may stay short of one group
        assert 52 <= len(parts.test) <= 60
        assert 16 <= len(parts.dev) <= 24


def test_a_split_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    rows: list[Row] = [row(number, f"g{number}", f"answer {number}") for number in range(100)]

    def test_ids(given: list[Row], seed: int) -> set[str]:
        return {one.id for one in split(given, own_dev=None, own_test=None, shares=SHARES, seed=seed).test}

    assert test_ids(rows, 0) == test_ids(rows[::-1], 0) != test_ids(rows, 1)


def test_every_label_is_in_train_and_in_test_where_it_can_be() -> None:
    # 150 + 40 + 8 + 2 rows; 40 of them for test, shares 30, 8, 1.6 and 0.4: the rarest label gets one all the same
    labels = ["a"] * 150 + ["b"] * 40 + ["c"] * 8 + ["d"] * 2
    rows: list[Row] = [row(number, f"g{number}", label) for number, label in enumerate(labels)]
    for seed in range(10):
        rest, test = hold_out(rows, 40, seed=seed, purpose="test")
        assert answers(test) == {"a": 29, "b": 8, "c": 2, "d": 1}
        assert set(answers(rest)) == {"a", "b", "c", "d"}


def test_a_label_with_one_group_stays_in_train() -> None:
    labels = ["a"] * 10 + ["b"] * 10 + ["c"]
    rows: list[Row] = [row(number, f"g{number}", label) for number, label in enumerate(labels)]
    rest, _ = hold_out(rows, 6, seed=0, purpose="test")
    assert answers(rest)["c"] == 1


def test_own_parts_are_left_as_they_are() -> None:
    rows: list[Row] = [row(number, f"g{number}", f"answer {number}") for number in range(20)]
    parts = split(rows, own_dev=rows[:2], own_test=rows[2:5], shares=SHARES, seed=0)
    assert (parts.train, parts.dev, parts.test) == (rows, rows[:2], rows[2:5])


def test_too_few_rows_say_how_many_are_needed() -> None:
    rows: list[Row] = [row(number, f"g{number}", f"answer {number}") for number in range(12)]
    assert split(rows, own_dev=None, own_test=None, shares=SHARES, seed=0).train
    with pytest.raises(DataError, match="at least 12 rows, or a test file"):
        split(rows[:11], own_dev=None, own_test=None, shares=SHARES, seed=0)
    with pytest.raises(DataError, match="at least 4 rows"):
        split(rows[:3], own_dev=None, own_test=rows[3:], shares=SHARES, seed=0)


def test_one_prompt_alone_cannot_be_split() -> None:
    rows: list[Row] = [row(number, "g", f"answer {number}") for number in range(30)]
    with pytest.raises(DataError, match="30 rows with 1 different prompts"):
        split(rows, own_dev=None, own_test=None, shares=SHARES, seed=0)
