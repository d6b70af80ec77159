import pytest

from burnish.core.records import Message
from burnish.data.grow.documents import Passage
from burnish.data.grow.questions import pairs, question_row, request
from burnish.data.grow.reasons import Rejected

TEXT = (
    "The city library of Tarnfeld lends bicycles since May 2019. Members may borrow one for up to 14 days. The deposit "
    "is 40 euros and is paid back when the bicycle is returned undamaged."
)
PASSAGE = Passage(TEXT, "library.md:3", "g1")
ASKED, SAID = "How long may a bicycle of the Tarnfeld library be borrowed?", "For up to 14 days."


@pytest.mark.parametrize(
    "reply",
    [
        "Q: One?\nA: First.\nQ: Two?\nA: Second.",
        "Q: One?\nA: First.\n\nQ: Two?\nA: Second.\n",
        "Sure! Here they are:\n\n**Question 1:** One?\n**Answer 1:** First.\n\n**Question 2:** One more\n",
        "1. Q: One? A: First.\n2. Q: Two? A: Second.",
        "Q1: One?\nA1: First.\nQ2: Two?\nA2: Second.",
        "<think>Q: no</think>Q: One?\nA: First.\nQ: Two?\nA: Second.",
        "### Question: One?\n### Answer: First.\n### Question: Two?\n### Answer: Second.",
        "Frage 1: One?\nAntwort: First.\nFrage 2: Two?\nAntwort: Second.",
    ],
)
def test_questions_and_answers_are_found_however_they_are_marked(reply: str) -> None:
    found = pairs(reply)
    assert found[0] == ("One?", "First.")
    assert found[1] == (("Two?", "Second.") if "Two" in reply else ("One more", ""))
    assert len(found) == 2


def test_an_answer_may_have_several_lines() -> None:
    assert pairs("Q: How?\nA: First this.\n- Then that.\n\nQ: Why?\nA: So.")[0] == ("How?", "First this.\n- Then that.")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "made_empty"),
        ("The library lends bicycles.", "made_not_parseable"),
        ("Q: One?\nQ: Two?", "made_not_parseable"),
        ("A: only an answer", "made_not_parseable"),
        ("x" * 60_000, "made_too_long"),
    ],
)
def test_a_reply_without_questions_is_rejected(reply: str, reason: str) -> None:
    with pytest.raises(Rejected) as rejected:
        pairs(reply)
    assert rejected.value.reason == reason


def test_a_question_becomes_a_row_with_place_and_group_of_its_document() -> None:
    row = question_row(PASSAGE, ASKED, SAID)
    assert row.messages == (Message("user", ASKED), Message("assistant", SAID))
    assert (row.source, row.group) == ("library.md:3", "g1")


@pytest.mark.parametrize(
    ("asked", "said", "reason"),
    [
        ("", SAID, "made_empty"),
        (ASKED, "", "made_empty"),
        (ASKED, ASKED, "made_same"),
        ("What does the text say about bicycles?", SAID, "made_needs_document"),
        (ASKED, "For up to 21 days.", "made_numbers"),
        (ASKED, "Members borrow skateboards and rollers whenever weather permits.", "made_not_in_document"),
        ("Which planet is closest?", "The bicycle is returned undamaged.", "made_unrelated"),
        (ASKED, "I'm sorry, but I can't assist with that.", "made_refusal"),
        (ASKED, f"{TEXT} {TEXT}", "made_too_long"),
    ],
)
def test_a_bad_question_is_rejected(asked: str, said: str, reason: str) -> None:
    with pytest.raises(Rejected) as rejected:
        question_row(PASSAGE, asked, said)
    assert rejected.value.reason == reason


def test_the_model_is_told_how_many_and_about_what() -> None:
    assert "3 questions" in request(PASSAGE, 3)[-1].content
    assert "1 question with its answer" in request(PASSAGE, 1)[-1].content
    assert request(PASSAGE, 3)[-1].content.endswith(TEXT)
