import random

import numpy as np

from burnish.data.duplicates.buckets import decoded
from burnish.data.duplicates.rare import few_words_differ, rarest_words, triple_keys, word_counts
from burnish.data.duplicates.view import View
from burnish.data.duplicates.words import WordFile


def view_of(rows: list[list[int]]) -> View:
    file = WordFile()
    halves = np.array([length for row in rows for length in (len(row), 0)])
    file.append(np.array([code for row in rows for code in row], np.uint32), halves)
    numbers, lengths = np.arange(len(rows)), np.array([len(row) for row in rows])
    return View(file.finish(), numbers, np.zeros(len(rows), np.uint64), numbers, numbers * 0 + 2, lengths, numbers * 0)


def test_the_rarest_words_come_first_and_once() -> None:
    view = view_of([[7, 7, 8, 9, 9, 9], [9, 8]])
    counts = word_counts(view.words)
    assert counts[[7, 8, 9]].tolist() == [2, 2, 4]
    assert rarest_words(view, counts).tolist() == [[7, 8, 9, 0, 0, 0], [8, 9, 0, 0, 0, 0]]


def test_six_words_have_twenty_triples_and_two_words_have_one() -> None:
    rarest = np.array([[1, 2, 3, 4, 5, 6], [1, 2, 0, 0, 0, 0]], np.uint32)
    keys, rows = triple_keys(rarest, np.zeros(2, np.uint64))
    assert np.bincount(rows).tolist() == [20, 1]
    assert len(np.unique(keys)) == 21
    tagged, _ = triple_keys(rarest, np.array([0, 7], np.uint64))
    assert tagged[-1] != keys[-1]


def test_rows_that_differ_in_up_to_three_words_always_meet() -> None:
    rng = random.Random(3)
    # Words as in language: the n-th is drawn about 1/n as often as the first.
    words = [code for code in range(1, 2000) for _ in range(4000 // code)]
    rows = [[rng.choice(words) for _ in range(rng.randint(7, 14))] for _ in range(150)]
    for row in rows[:150]:
        copy = list(row)
        for place in rng.sample(range(len(copy)), 3):
            copy[place] = rng.choice(words)
        rows.append(copy)
    view = view_of(rows)
    one, other = decoded(few_words_differ(view, word_counts(view.words)))
    found = set(zip(one.tolist(), other.tolist(), strict=True))
    meant = [(place, place + 150) for place in range(150) if len(set(rows[place]) & set(rows[place + 150])) >= 3]
    assert len(meant) > 130
    assert [pair for pair in meant if pair not in found] == []
    assert len(found) < 150 * 299 / 4
