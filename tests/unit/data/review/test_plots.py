import numpy as np
import pytest

from burnish.data.review.plots import length_histogram


def test_bars_count_every_row_once() -> None:
    lengths = np.array([1, 1, 2, 3, 4, 1000, 0])
    drawn = length_histogram("x", lengths, np.array([4, 5]))
    assert drawn is not None
    counted = [int(bar.title.split(": ")[1].split(" ")[0]) for bar in drawn.bars]
    assert sum(counted) == 6  # an empty text is no length
    assert drawn.median == 2
    # 2 of 6 rows have the length 1; both test rows stand in the bar from 4 to 5, which is the highest.
    assert drawn.bars[0].height == pytest.approx(100 * 2 / 6)
    assert [bar.mark for bar in drawn.bars if bar.title.startswith("4 to 5 ")] == [0.0]


@pytest.mark.parametrize("lengths", [[7], [1], [1, 10_000_000], list(range(1, 400))])
def test_any_range_is_drawn_inside_its_frame(lengths: list[int]) -> None:
    drawn = length_histogram("x", np.array(lengths), np.array([], np.int64))
    assert drawn is not None
    assert 1 <= len(drawn.bars) <= 40
    assert all(0 <= bar.height <= 100 and bar.mark is None for bar in drawn.bars)
    assert drawn.bars[-1].x + drawn.bars[-1].width == pytest.approx(100)


def test_nothing_is_drawn_of_nothing() -> None:
    assert length_histogram("x", np.array([0, 0]), np.array([5])) is None
