import numpy as np

from burnish.data.duplicates.buckets import NEIGHBOURS, decoded, pairs_in_buckets


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.uint64) << np.uint64(32)


def pairs(keys_E: np.ndarray, rows_E: np.ndarray) -> set[tuple[int, int]]:
    one, other = decoded(np.unique(pairs_in_buckets(keys_E, rows_E)))
    return set(zip(one.tolist(), other.tolist(), strict=True))


def test_rows_with_one_key_are_paired_once() -> None:
    assert pairs(keys(1, 2, 1, 3, 1), np.array([4, 1, 0, 2, 3])) == {(0, 3), (0, 4), (3, 4)}
    assert pairs(keys(), np.zeros(0, np.int64)) == set()


def test_a_row_is_no_pair_with_itself() -> None:
    assert pairs(keys(1, 1), np.array([5, 5])) == set()


def test_a_large_bucket_costs_seven_pairs_a_row_and_hangs_together() -> None:
    rows = np.arange(1000)
    found = pairs(np.zeros(1000, np.uint64), rows)
    assert len(found) <= (NEIGHBOURS + 1) * 1000
    assert {(row - 1, row) for row in range(1, 1000)} <= found
    assert {(0, row) for row in range(1, 1000)} <= found
