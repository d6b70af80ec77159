import numpy as np
from scipy import stats

from burnish.data.mix.chance import ranks

KEYS = np.arange(20_000, dtype=np.uint64)  # the least random keys there are
FIXED = [9480336553234103771, 5896952274605532522, 9792397114841165265]


def test_numbers_are_spread_evenly_and_never_meet() -> None:
    found = ranks(KEYS, 0, "test")
    assert len(np.unique(found)) == len(KEYS)
    assert stats.kstest(found / 2.0**64, "uniform").pvalue > 0.01
    bits = (found[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.all(np.abs(bits.mean(axis=0) - 0.5) < 0.02)


def test_seeds_and_purposes_have_nothing_to_do_with_each_other() -> None:
    found = [ranks(KEYS, seed, purpose) for seed in (0, 1, 2) for purpose in ("test", "dev")]
    for n, one in enumerate(found):
        for other in found[:n]:
            assert abs(stats.spearmanr(one, other).statistic) < 0.03


def test_a_number_does_not_depend_on_the_other_rows() -> None:
    found = ranks(KEYS, 3, "rows")
    assert np.array_equal(ranks(KEYS[::-1], 3, "rows"), found[::-1])
    assert np.array_equal(ranks(KEYS[7:9], 3, "rows"), found[7:9])


def test_the_numbers_stay_what_they_are() -> None:
    """A run that is taken up again must draw the same rows: these three were written down once."""
    assert ranks(KEYS[:3], 0, "test").tolist() == FIXED


def test_the_first_rows_are_a_fair_sample() -> None:
    first = np.argsort(ranks(KEYS, 0, "rows"))[:5_000]
    assert abs(first.mean() - KEYS.mean()) < 4 * KEYS.std() / 5_000**0.5
    assert stats.kstest(first / len(KEYS), "uniform").pvalue > 0.01
