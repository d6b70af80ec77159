from collections import Counter

import numpy as np
import pytest

from burnish.data.mix.settings import MixSettings
from burnish.data.mix.uses import listed, uses


def keys(rows: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2**64, rows, np.uint64)


def used(
    sources: list[int],
    weights: list[float],
    mix: MixSettings | None = None,
    labels: list[int] | None = None,
    seed: int = 0,
) -> np.ndarray:
    label = None if labels is None else np.array(labels)
    return uses(np.array(sources, np.int64), label, keys(len(sources)), np.array(weights), mix or MixSettings(), seed)


def test_without_a_wish_every_row_is_used_once() -> None:
    assert np.all(used([0] * 10 + [1] * 90, [1, 1], labels=[0, 1] * 50) == 1)
    assert len(used([], [1.0])) == 0


def test_a_weight_says_how_often_the_rows_of_a_source_are_used() -> None:
    found = used([0] * 10 + [1] * 90 + [2] * 20, [2, 0.5, 1.25])
    assert np.all(found[:10] == 2)
    assert Counter(found[10:100].tolist()) == {0: 45, 1: 45}
    assert Counter(found[100:].tolist()) == {1: 15, 2: 5}  # 25 of 20: all once, a fair quarter of them again


def test_a_temperature_evens_sources_out() -> None:
    # n^(1/2): 100, 10 and 1 parts. The largest keeps its 10,000 rows, the others get 1,000 and 100 of 100 and 1.
    sources = [0] * 10_000 + [1] * 100 + [2]
    found = used(sources, [1, 1, 1], MixSettings(temperature=2, most_uses=100))
    assert [int(found[np.array(sources) == source].sum()) for source in (0, 1, 2)] == [10_000, 1_000, 100]
    found = used(sources, [1, 1, 1], MixSettings(temperature=2))  # no row more than four times
    assert [int(found[np.array(sources) == source].sum()) for source in (0, 1, 2)] == [10_000, 400, 4]


def test_balancing_repeats_rare_labels_and_leaves_nothing_out() -> None:
    labels = [0] * 60 + [1] * 24 + [2] * 10 + [-1] * 6
    found = used([0] * 100, [1], MixSettings(balance="labels"), labels)
    by_label = {label: int(found[np.array(labels) == label].sum()) for label in (0, 1, 2, -1)}
    assert by_label == {0: 60, 1: 60, 2: 40, -1: 6}  # of the rarest label no row more than four times
    assert found.min() == 1
    assert np.all(used([0] * 100, [1], MixSettings(), labels) == 1)


def test_rows_of_a_source_and_label_differ_by_one_use_at_most() -> None:
    generator = np.random.default_rng(3)
    sources, labels = generator.integers(0, 3, 500), generator.integers(-1, 4, 500)
    found = used(sources.tolist(), [0.3, 1, 2.7], MixSettings(temperature=3, balance="labels"), labels.tolist())
    for source in range(3):
        for label in range(-1, 4):
            cell = found[(sources == source) & (labels == label)]
            assert cell.max() - cell.min() <= 1


def test_uses_depend_on_seed_and_keys_and_not_on_the_order_of_rows() -> None:
    sources, key, weight = np.arange(200) % 3, keys(200), np.array([0.5, 1.0, 1.7])
    found = uses(sources, None, key, weight, MixSettings(), 0)
    order = np.random.default_rng(1).permutation(200)
    assert np.array_equal(uses(sources[order], None, key[order], weight, MixSettings(), 0), found[order])
    assert not np.array_equal(uses(sources, None, key, weight, MixSettings(), 1), found)


def test_a_source_is_never_left_out_as_a_whole() -> None:
    assert used([0] * 10 + [1], [1, 0.01]).tolist() == [1] * 11


def test_lines_are_the_rows_in_order_and_then_their_repetitions() -> None:
    rows, nth = listed(np.array([1, 0, 3, 2]))
    assert rows.tolist() == [0, 2, 3, 2, 3, 2]
    assert nth.tolist() == [0, 0, 0, 1, 1, 2]


def test_short_rows_first_in_each_round() -> None:
    rows, nth = listed(np.array([1, 2, 2, 1]), np.array([5, 9, 3, 3], np.int32))
    assert rows.tolist() == [2, 3, 0, 1, 2, 1]
    assert nth.tolist() == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("rows", [0, 100_000])
def test_any_number_of_rows(rows: int) -> None:
    found = uses(np.arange(rows) % 5, np.arange(rows) % 77, keys(rows), np.ones(5), MixSettings(balance="labels"), 0)
    assert len(listed(found).row_M) == found.sum() >= rows
