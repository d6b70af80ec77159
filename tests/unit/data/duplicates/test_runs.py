import numpy as np

from burnish.data.duplicates.runs import common_runs, run_hashes, telling_words, within_rows
from tests.unit.data.duplicates.planting import chat, fingerprinted

FRAME = "below is a question that you answer in one short sentence"


def test_equal_runs_have_equal_hashes() -> None:
    hashes = run_hashes(np.array([1, 2, 3, 4, 1, 2, 3], np.uint32), 3)
    assert hashes[0] == hashes[4]
    assert len(set(hashes.tolist())) == 4
    assert len(run_hashes(np.array([1, 2], np.uint32), 3)) == 0


def test_runs_over_the_end_of_a_row_do_not_count() -> None:
    # rows of 3 and 2 words, runs of 2: words 0-1 and 1-2 are in the first, 3-4 in the second, 2-3 in none
    assert within_rows(np.array([3, 2]), 2).tolist() == [True, True, False, True]


def test_a_frame_around_all_rows_tells_nothing_of_one() -> None:
    rows = [chat(f"{FRAME} {number} sheep {number}", "yes") for number in range(40)]
    words = fingerprinted(rows).words
    common = common_runs(words, 2)
    items = words.lengths.reshape(-1, 2).sum(axis=1)
    telling = telling_words(words.read(0, len(words)), items, common)
    # each row has the eleven words of the frame, which are common, then three of its own and an answer of one
    assert telling.reshape(40, -1).sum(axis=1).tolist() == [4] * 40
    few = fingerprinted(rows[:20]).words
    assert not common_runs(few, 2).any()
