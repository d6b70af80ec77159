from __future__ import annotations

from burnish.data.cleaning.lengths import length_outliers
from burnish.data.cleaning.settings import CleanSettings
from tests.unit.data.cleaning.rows_of import chats, features_of

OFF = CleanSettings(language="off")
USUAL = [("p" * (90 + number % 21), "a" * (180 + number % 41)) for number in range(60)]


def outliers(pairs: list[tuple[str, str]], *, labels: bool = False) -> list[tuple[int, str]]:
    found = length_outliers(features_of(chats(pairs), OFF), OFF, labels=labels)
    return [(one.index, one.detail) for one in found]


def test_a_document_among_short_texts_and_a_stray_word_are_outliers() -> None:
    found = outliers([*USUAL, ("p" * 100, "a" * 5000), ("p", "a" * 200)])
    assert found == [
        (61, "the prompt has 1 characters, the median is 100"),
        (60, "the answer has 5,000 characters, the median is 195"),
    ]


def test_within_four_times_the_median_nothing_is() -> None:
    assert outliers([*USUAL, ("p" * 380, "a" * 60)]) == []


def test_sets_with_long_rows_of_their_own_have_no_outliers() -> None:
    """Every fifth prompt holds a document of thirty times the length."""
    assert outliers([("p" * (3000 if number % 5 == 0 else 100), "a" * 200) for number in range(100)]) == []


def test_labels_have_no_lengths_worth_a_word() -> None:
    assert outliers([("p" * 100, "yes") for _ in range(60)] + [("p" * 100, "a" * 100)], labels=True) == []
