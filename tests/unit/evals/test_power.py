import numpy as np
import pytest

from burnish.evals.power import smallest_gain, smallest_shift
from burnish.evals.statistics import paired_difference


def test_the_smallest_gain_is_shown_four_times_out_of_five():
    gain = smallest_gain(60)
    assert gain is not None
    rng = np.random.default_rng(2)
    kinds = rng.choice([1, -1, 0], size=(400, 60), p=[gain + 0.05, 0.05, 0.9 - gain])
    shown = [paired_difference((row > 0).tolist(), (row < 0).tolist()).low > 0 for row in kinds]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


def test_the_smallest_shift_of_a_mean_by_hand():
    # (1.960 + 0.842)·0.5/√100 and, one-sided, (1.645 + 0.842)·0.05
    assert smallest_shift(0.5, 100) == pytest.approx(0.1401, abs=1e-4)
    assert smallest_shift(0.5, 100, one_sided=True) == pytest.approx(0.1243, abs=1e-4)
