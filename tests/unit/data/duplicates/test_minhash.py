import numpy as np
import pytest

from burnish.data.duplicates.buckets import decoded
from burnish.data.duplicates.minhash import copies_of_words, most_words_agree, set_tokens, signatures
from burnish.data.duplicates.rare import word_counts
from tests.unit.data.duplicates.test_rare import view_of


@pytest.mark.parametrize(("shared", "alone"), [(90, 10), (67, 33), (30, 70)])
def test_signatures_estimate_the_jaccard_similarity(shared: int, alone: int) -> None:
    rng = np.random.default_rng(0)
    estimates = []
    for _ in range(40):
        tokens = rng.integers(0, 2**63, shared + alone, dtype=np.uint64)
        half = shared + alone // 2
        two_sets = np.concatenate([tokens[:half], tokens[:shared], tokens[half:]])
        one, other = signatures(two_sets, np.array([0, half, len(two_sets)], np.uint64), 125)
        estimates.append((one == other).mean())
    # 40 x 125 slots: the standard error of the mean is under 0.01
    assert np.mean(estimates) == pytest.approx(shared / (shared + alone), abs=0.03)


def test_rare_words_enter_a_set_more_often_than_common_ones() -> None:
    counts = np.array([1_000_000, 1000, 1])
    # shares of about 1, 1/1000, 1/1,000,000: 0, 10 and 20 doublings
    assert copies_of_words(counts).tolist() == [0, 1, 4]
    codes = np.array([2, 0, 2, 1, 2, 2, 2], np.uint32)
    tokens, starts = set_tokens(codes, np.array([4, 3]), copies_of_words(counts))
    assert starts.tolist() == [0, 9, 21]  # 4 + 0 + 4 + 1 and 3 x 4
    assert len(np.unique(tokens)) == 5


def test_a_row_of_common_words_keeps_them() -> None:
    tokens, starts = set_tokens(np.zeros(5, np.uint32), np.array([5]), np.zeros(1, np.int64))
    assert starts.tolist() == [0, 5]
    assert len(tokens) == 5


def test_rows_of_which_a_fifth_differs_nearly_always_meet_and_others_hardly_ever() -> None:
    rng = np.random.default_rng(1)
    rows = [rng.integers(1, 20_000, 100).tolist() for _ in range(300)]
    copies = []
    for row in rows:
        copy = np.array(row)
        copy[rng.choice(100, 20, replace=False)] = rng.integers(1, 20_000, 20)
        copies.append(copy.tolist())
    view = view_of(rows + copies)
    one, other = decoded(most_words_agree(view, word_counts(view.words), 25))
    assert (other - one == 300).sum() >= 285  # 0.97 of 300 is 291, with a standard error of 3
    assert (other - one != 300).sum() < 10
