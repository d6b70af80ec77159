import pytest

from burnish.core.asking import Answer
from burnish.data.grow.reasons import Rejected
from burnish.data.grow.reply import MOST_CHARACTERS, plain_reply

GIVEN = "Where is my parcel?"
MADE = "When does my parcel arrive?"


@pytest.mark.parametrize(
    "reply",
    [
        MADE,
        f"  {MADE}\n\n",
        f'"{MADE}"',
        f"“{MADE}”",
        f"Sure! {MADE}",
        f"Sure! Here's a rephrased version:\n\n{MADE}",
        f"Certainly, here is the new message: {MADE}",
        f'In other words: "{MADE}"',
        f"**Rewritten text:** {MADE}",
        f"Paraphrase 1: {MADE}",
        f"{MADE}\n\nI chose this wording because it is more polite.",
        f"1. {MADE}\n2. Where did my parcel go?\n3. Is my parcel lost?",
        f"- {MADE}\n- Another",
        f"```\n{MADE}\n```\nThat is all.",
        f"<think>The user wants\nother words.</think>\n{MADE}",
    ],
)
def test_the_manners_of_a_reply_are_taken_off(reply: str) -> None:
    assert plain_reply(Answer(reply), GIVEN) == MADE


def test_what_the_given_text_has_itself_stays() -> None:
    assert plain_reply(Answer("Here is our problem: it leaks."), "Here is my problem: a leak.").startswith("Here is")
    assert plain_reply(Answer('"Stop," he said. "Go."'), "He said it.") == '"Stop," he said. "Go."'
    assert plain_reply(Answer("- bread\n- milk"), "- milk\n- bread") == "- bread\n- milk"
    assert plain_reply(Answer("Question: why now?"), "Question: why?") == "Question: why now?"


def test_a_text_of_several_lines_may_become_one_of_several_lines() -> None:
    assert plain_reply(Answer("Dear all,\n\nit is late."), "Hello,\n\nit's late.") == "Dear all,\n\nit is late."


@pytest.mark.parametrize(
    ("answer", "given", "reason"),
    [
        (Answer(""), GIVEN, "made_empty"),
        (Answer(" \n "), GIVEN, "made_empty"),
        (Answer('""'), GIVEN, "made_empty"),
        (Answer("In other words:"), GIVEN, "made_empty"),
        (Answer("<think>Hm. " * 50), GIVEN, "made_not_parseable"),
        (Answer("<think></think>"), GIVEN, "made_empty"),
        (Answer("x" * (MOST_CHARACTERS + 1)), GIVEN, "made_too_long"),
        (Answer("When does my par", whole=False), GIVEN, "made_too_long"),
        (Answer("Dear all,\nit is", whole=False), "Hello,\nit's late.", "made_too_long"),
    ],
)
def test_what_holds_no_text_is_rejected(answer: Answer, given: str, reason: str) -> None:
    with pytest.raises(Rejected) as rejected:
        plain_reply(answer, given)
    assert rejected.value.reason == reason


def test_rambling_that_was_cut_off_after_the_line_does_no_harm() -> None:
    assert plain_reply(Answer(f"{MADE}\nThis sentence keeps the", whole=False), GIVEN) == MADE
