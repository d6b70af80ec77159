from __future__ import annotations

from burnish.data.cleaning.labels import are_label_rows, balance, contradictions
from burnish.data.cleaning.settings import CleanSettings
from tests.unit.data.cleaning.rows_of import chats, features_of

# 10 rows of each label; the last three ask one thing in three spellings
LABELLED = [(f"question {number}", "card" if number % 2 else "cash") for number in range(20)]
ASKED_THRICE = [("Where is it?", "card"), ("where is it", "card"), ("WHERE is it?!", "cash")]


def test_short_repeated_answers_are_labels_and_free_text_is_none() -> None:
    assert are_label_rows(features_of(chats(LABELLED)))
    assert not are_label_rows(
        features_of(chats([(f"q{n}", f"a free answer, number {n}, of some length") for n in range(20)]))
    )


def test_one_prompt_with_two_labels_is_a_contradiction_in_every_row_of_it() -> None:
    rows = chats(LABELLED + ASKED_THRICE)
    found = contradictions(features_of(rows), CleanSettings(), rows.__getitem__)
    assert [(one.index, one.drop) for one in found] == [(20, False), (21, False), (22, False)]
    assert found[2].detail == "'cash' here, 'card' at rows.jsonl:21"


def test_the_same_label_twice_is_no_contradiction() -> None:
    rows = chats([*LABELLED, *ASKED_THRICE[:2]])
    assert contradictions(features_of(rows), CleanSettings(), rows.__getitem__) == []


def test_a_majority_keeps_its_rows_and_a_tie_keeps_none() -> None:
    settings = CleanSettings(contradiction="majority")
    rows = chats(LABELLED + ASKED_THRICE + [("Who is it?", "card"), ("who is it", "cash")])
    found = contradictions(features_of(rows), settings, rows.__getitem__)
    assert [one.index for one in found if one.drop] == [22, 23, 24]


def test_unequal_labels_are_told_with_what_follows() -> None:
    """30 to 2: always saying the first is right 30/32 = 94 % of the time."""
    rows = chats([(f"q{n}", "ham") for n in range(30)] + [("x", "spam"), ("y", "spam")])
    (observation,) = balance(features_of(rows), rows.__getitem__)
    assert "'ham' has 30 of 32 rows, 'spam' has 2" in observation.detail
    assert "94%" in observation.detail
    assert balance(features_of(chats(LABELLED)), rows.__getitem__) == []
