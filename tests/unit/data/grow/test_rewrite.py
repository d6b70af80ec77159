import pytest

from burnish.core.asking import Answer
from burnish.core.records import Chat, Message, Pair, ToolCall
from burnish.data.grow.reasons import Rejected
from burnish.data.grow.rewrite import can_be_rewritten, request, rewritten
from tests.serving import chat

INSTRUCTION = "Write in one short sentence."
ROW = chat("When do you open on Sunday?", "On Sundays our shop is usually open from 10 to 14 o'clock, you know.")
GOOD = "On Sundays the shop is open from 10 to 14."


def test_the_answer_changes_and_the_prompt_stays() -> None:
    made = rewritten(ROW, INSTRUCTION, Answer(f"Answer: {GOOD}"), same_language=True)
    assert made == Chat(ROW.id, (ROW.messages[0], Message("assistant", GOOD)), ROW.source, ROW.group)


def test_the_model_is_told_instruction_question_and_answer() -> None:
    told = request(ROW, INSTRUCTION)[-1].content
    assert all(part in told for part in (INSTRUCTION, ROW.messages[0].content, ROW.answer))


def test_only_answers_that_are_text_are_rewritten() -> None:
    assert can_be_rewritten(ROW)
    call = Message("assistant", "", (ToolCall("open", "{}"),))
    assert not can_be_rewritten(Chat("c", (ROW.messages[0], call)))
    assert not can_be_rewritten(Pair("p", ROW.prompt, "a", "b"))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (ROW.answer, "made_same"),
        ("When do you open on Sunday?", "made_same"),
        ("On Sundays our shop is not open from 10 to 14 o'clock.", "made_negation"),
        ("On Sundays we are open from 10 to 16.", "made_numbers"),
        ("Lovely weather for a picnic near the lake today.", "made_unrelated"),
        ("Am Sonntag haben wir wie immer von 10 bis 14 Uhr für Sie geöffnet.", "made_other_language"),
        ("As an AI language model, I do not have a shop.", "made_refusal"),
        ("", "made_empty"),
        ("### Response: on Sunday from 10 to 14.", "made_not_parseable"),
    ],
)
def test_a_bad_rewriting_is_rejected(reply: str, reason: str) -> None:
    with pytest.raises(Rejected) as rejected:
        rewritten(ROW, INSTRUCTION, Answer(reply), same_language=True)
    assert rejected.value.reason == reason


def test_a_much_shorter_answer_is_still_related() -> None:
    prompt = (
        "Below is an instruction that describes a task. Write a response.\n\nName our usual hours for Sunday visitors."
    )
    row = chat(prompt, ROW.answer)
    made = rewritten(row, INSTRUCTION, Answer("The answer is: Open from 10 to 14 on Sunday."), same_language=True)
    assert isinstance(made, Chat)
    assert made.answer == "Open from 10 to 14 on Sunday."


def test_a_translation_is_possible_where_any_language_is_allowed() -> None:
    german = "Am Sonntag haben wir wie immer von 10 bis 14 Uhr für Sie geöffnet."
    made = rewritten(ROW, "Translate into German.", Answer(german), same_language=False)
    assert isinstance(made, Chat)
    assert made.answer == german


def test_a_json_answer_keeps_its_keys() -> None:
    row = chat("What is it?", '{"item": "lamp", "colour": "dark blue"}')
    made = rewritten(row, "Shorter.", Answer('```json\n{"item": "lamp", "colour": "blue"}\n```'), same_language=True)
    assert isinstance(made, Chat)
    assert made.answer == '{"item": "lamp", "colour": "blue"}'
    with pytest.raises(Rejected, match="made_not_parseable"):
        rewritten(row, "Shorter.", Answer("The item is a blue lamp."), same_language=True)
