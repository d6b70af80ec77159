from __future__ import annotations

from burnish.core.records import Message, Pair, Prompt, Rated, Text
from burnish.data.cleaning.ending import CLOSED
from burnish.data.cleaning.language import languages
from tests.unit.data.cleaning.rows_of import chat, features_of

ASKED = (Message("user", "Where does the train to the coast leave?"),)


def test_every_kind_of_row_has_an_entry_with_its_lengths() -> None:
    rows = [
        chat("abc", "de"),
        Text("t", "abcd"),
        Pair("p", ASKED, "better", "bad"),
        Rated("r", ASKED, "good", score=True),
        Prompt("q", ASKED, {"answer": "x"}),
    ]
    features = features_of(rows)
    assert features["kind"].tolist() == [0, 1, 2, 3, 4]
    assert features["prompt_chars"].tolist() == [3, 0, 40, 40, 40]
    assert features["answer_chars"].tolist() == [2, 4, 6, 4, 0]
    assert features["rejected_chars"].tolist() == [0, 0, 3, 0, 0]


def test_an_entry_is_small() -> None:
    """A million rows take less than 50 MB."""
    assert features_of([chat("a", "b")]).itemsize <= 50


def test_labels_that_differ_in_case_alone_are_one() -> None:
    features = features_of(
        [chat("a", "Yes."), chat("b", " yes"), chat("c", "no"), chat("d", "one two three four five six 7")]
    )
    answers = features["answer"].tolist()
    assert answers[0] == answers[1] != answers[2]
    assert features["short"].tolist() == [True, True, True, False]


def test_both_sides_have_their_language_and_the_answer_its_ending() -> None:
    row = chat(ASKED[0].content, "Der Zug an die Küste fährt um neun Uhr ab.")
    entry = features_of([row])[0]
    assert languages()[entry["prompt_language"]] == "en"
    assert languages()[entry["answer_language"]] == "de"
    assert entry["ending"] == CLOSED
