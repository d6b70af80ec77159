from collections import Counter

import numpy as np
import pytest

from burnish.core.errors import DataError
from burnish.data.splitting.assign import DEV, TEST, TRAIN, Codes, assign, newer_than_test
from burnish.data.splitting.sizes import Sizes


def keys(rows: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2**64, rows, np.uint64)


def alone(rows: int) -> np.ndarray:
    """A group for each row."""
    return np.arange(rows, dtype=np.uint64)


def strata(labels: list[int], sizes: Sizes, seed: int = 0) -> Codes:
    return assign(alone(len(labels)), keys(len(labels)), np.array(labels), None, sizes, seed)


def times(seconds: list[float], groups: list[int], sizes: Sizes, seed: int = 0) -> Codes:
    """Parts of rows made at these times."""
    return assign(np.array(groups, np.uint64), keys(len(groups)), None, np.array(seconds, float), sizes, seed)


def test_groups_never_stand_on_two_sides() -> None:
    group, key = np.arange(300, dtype=np.uint64) // 3 % 40, keys(300)
    for seed in range(30):
        part = assign(group, key, None, None, Sizes(60, 24), seed)
        sides = [set(group[part == side]) for side in (TRAIN, DEV, TEST)]
        assert sum(map(len, sides)) == len(set.union(*sides)) == 40
        # 40 groups, each of 6 or 9 rows: a quota may stay short of one group
        assert 52 <= np.sum(part == TEST) <= 60
        assert 16 <= np.sum(part == DEV) <= 24


def test_a_split_depends_on_the_seed_and_not_on_the_order_of_rows_or_the_names_of_groups() -> None:
    group, key = np.arange(400, dtype=np.uint64) // 2, keys(400)
    label, sizes = np.arange(400) // 2 % 7, Sizes(40, 20)
    part = assign(group, key, label, None, sizes, 0)
    order = np.random.default_rng(1).permutation(400)
    renamed = (group * np.uint64(7919)) % np.uint64(10_007)
    assert np.array_equal(assign(renamed[order], key[order], label[order], None, sizes, 0), part[order])
    assert not np.array_equal(assign(group, key, label, None, sizes, 1), part)


def test_every_label_is_in_train_and_in_test_where_it_can_be() -> None:
    # 150 + 40 + 8 + 2 rows; 40 of them for test, shares 30, 8, 1.6 and 0.4: the rarest label gets one all the same
    labels = [0] * 150 + [1] * 40 + [2] * 8 + [3] * 2
    for seed in range(10):
        part = strata(labels, Sizes(40, 0), seed)
        assert Counter(np.array(labels)[part == TEST].tolist()) == {0: 29, 1: 8, 2: 2, 3: 1}
        assert set(np.array(labels)[part == TRAIN]) == {0, 1, 2, 3}


def test_a_label_with_one_group_stays_in_train() -> None:
    part = strata([0] * 10 + [1] * 10 + [2], Sizes(6, 3))
    assert part[-1] == TRAIN


def test_a_group_has_the_commonest_label_of_its_rows() -> None:
    # Groups of three rows: two say their label, one says 9. That is the label of no group, so it has no quota.
    group, label = np.arange(300) // 3, np.arange(300) // 3 % 2
    label[::3] = 9
    part = assign(group.astype(np.uint64), keys(300), label, None, Sizes(60, 0), 0)
    assert Counter(label[(part == TEST) & (label != 9)].tolist()) == {0: 20, 1: 20}


def test_nothing_is_held_out_where_the_user_has_files() -> None:
    assert np.all(assign(alone(20), keys(20), None, None, Sizes(0, 0), 0) == TRAIN)
    part = assign(alone(20), keys(20), None, None, Sizes(0, 5), 0)
    assert Counter(part.tolist()) == {0: 15, 1: 5}


def test_one_prompt_alone_cannot_be_split() -> None:
    with pytest.raises(DataError, match="30 rows with 1 different prompts"):
        assign(np.zeros(30, np.uint64), keys(30), None, None, Sizes(6, 0), 0)


def test_groups_larger_than_the_test_are_never_held_out() -> None:
    group = np.array([0] * 50 + list(range(1, 51)), np.uint64)
    for seed in range(5):
        part = assign(group, keys(100), None, None, Sizes(20, 10), seed)
        assert np.all(part[:50] == TRAIN)
        assert Counter(part.tolist()) == {0: 70, 1: 10, 2: 20}


def test_the_newest_rows_are_the_test_and_the_ones_before_them_dev() -> None:
    seconds = np.random.default_rng(0).permutation(100).astype(float)
    part = times(seconds.tolist(), list(range(100)), Sizes(20, 10))
    assert seconds[part == TEST].min() == 80
    assert (seconds[part == DEV].min(), seconds[part == DEV].max()) == (70, 79)
    assert newer_than_test(seconds, part) == 0


def test_a_group_is_as_old_as_its_oldest_row() -> None:
    # Rows 0 … 9 by age; the newest, 9, says what 2 says, so it goes with that; the test is 8 and 7, dev is 6.
    seconds = [float(second) for second in range(10)]
    part = times(seconds, [0, 1, 2, 3, 4, 5, 6, 7, 8, 2], Sizes(2, 1))
    assert part.tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 2, 0]
    assert newer_than_test(np.array(seconds), part) == 1


def test_the_test_has_no_gap_in_time() -> None:
    # Newest first the groups have 1, 2 and 1 rows. Two fit: the second group does not, and nothing older is taken.
    part = times([9, 8, 8, 7, 6, 5], [0, 1, 1, 2, 3, 4], Sizes(2, 0))
    assert part.tolist() == [2, 0, 0, 0, 0, 0]
    # A group larger than the whole test is passed over, or there would be none.
    part = times([9, 9, 9, 7, 6, 5], [0, 0, 0, 2, 3, 4], Sizes(2, 0))
    assert part.tolist() == [0, 0, 0, 2, 2, 0]


def test_rows_without_a_time_are_train() -> None:
    part = times([np.nan] * 10 + list(range(10)), list(range(20)), Sizes(4, 2))
    assert np.all(part[:10] == TRAIN)
    assert Counter(part.tolist()) == {0: 14, 1: 2, 2: 4}
    with pytest.raises(DataError, match="no time that can be read"):
        times([np.nan] * 20, list(range(20)), Sizes(4, 2))


def test_chance_decides_between_rows_of_one_day() -> None:
    days = np.repeat([1.0, 2.0], 50)
    first, second = (times(days.tolist(), list(range(100)), Sizes(20, 10), seed) for seed in (0, 1))
    assert np.all(days[first != TRAIN] == 2)
    assert not np.array_equal(first, second)


def test_many_rows_and_labels_are_split_evenly() -> None:
    # 50,000 groups of two rows, 77 labels: 6 or 7 rows of the test for each, and a group fits in no odd one.
    label = np.arange(100_000) // 2 % 77
    part = assign(np.arange(100_000, dtype=np.uint64) // 2, keys(100_000), label, None, Sizes(498, 200), 0)
    assert set(Counter(label[part == TEST].tolist()).values()) == {6}
    assert set(Counter(label[part == DEV].tolist()).values()) == {2}
