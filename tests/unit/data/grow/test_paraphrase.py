import pytest

from burnish.core.asking import Answer
from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Text
from burnish.data.grow.paraphrase import Frame, asked_text, frame_of, paraphrased, request
from burnish.data.grow.reasons import Rejected
from tests.serving import chat

ROW = chat("Where is my parcel?", "order_status")
MONDAY = chat("Where is my parcel from Monday?", "order_status")
REPLY = Answer('In other words: "Has my parcel got lost?"')


def test_the_prompt_changes_and_the_answer_stays() -> None:
    made = paraphrased(ROW, Frame(), REPLY)
    assert made == Chat(
        ROW.id,
        (Message("user", "Has my parcel got lost?"), Message("assistant", "order_status")),
        ROW.source,
        ROW.group,
    )


def test_earlier_turns_stay_and_are_not_learnt_twice() -> None:
    turns = (Message("system", "s"), Message("user", "Hello."), Message("assistant", "Yes?"))
    row = Chat("r", (*turns, *ROW.messages))
    made = paraphrased(row, Frame(), REPLY)
    assert isinstance(made, Chat)
    assert made.messages[:2] == turns[:2]
    assert made.messages[2] == Message("assistant", "Yes?", trained=False)
    assert made.messages[3].content == "Has my parcel got lost?"
    assert made.messages[4] == row.messages[4]


@pytest.mark.parametrize(
    "row",
    [
        Pair("p", ROW.prompt, "good", "bad"),
        Rated("r", ROW.prompt, "good", score=True),
        Prompt("q", ROW.prompt, {"answer": "good"}),
    ],
)
def test_every_kind_of_row_with_a_prompt_keeps_what_is_learnt(row: Pair | Rated | Prompt) -> None:
    made = paraphrased(row, Frame(), REPLY)
    assert made.to_json() == row.to_json() | {"prompt": [{"role": "user", "content": "Has my parcel got lost?"}]}


def test_rows_without_a_question_of_the_user_have_nothing_to_paraphrase() -> None:
    assert asked_text(Text("t", "plain")) is None
    tool = Message("tool", "4 degrees", tool_call_id="1")
    assert asked_text(Chat("c", (*ROW.messages, tool, Message("assistant", "It is cold.")))) is None
    assert asked_text(ROW) == "Where is my parcel?"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("where is my parcel from monday", "made_same"),
        ("Your parcel is on its way.", "made_answered"),
        ("Where is your parcel from Monday?", "made_speaker"),
        ("Where are my 2 parcels from Monday?", "made_numbers"),
        ("Which pets do my neighbours keep?", "made_unrelated"),
        ("I cannot assist with that.", "made_refusal"),
    ],
)
def test_a_bad_paraphrase_is_rejected(reply: str, reason: str) -> None:
    with pytest.raises(Rejected) as rejected:
        paraphrased(MONDAY, Frame(), Answer(reply))
    assert rejected.value.reason == reason


def test_words_that_the_answer_takes_from_the_prompt_must_stay() -> None:
    row = chat("Ada Lovelace ordered a lamp.", '{"name": "Ada Lovelace", "item": "lamp"}')
    paraphrased(row, Frame(), Answer("A lamp was ordered by Ada Lovelace."))
    with pytest.raises(Rejected, match="made_fact_lost"):
        paraphrased(row, Frame(), Answer("A light was ordered by Ada Lovelace."))


def test_the_frame_around_all_prompts_is_found_and_kept() -> None:
    before, after = "Sort the message into a class.\n\nMessage: ", "\n\nClass:"
    frame = frame_of([f"{before}Text number {n}{after}" for n in range(20)])
    assert frame == Frame(before, after)
    row = chat(f"{before}Where is my parcel?{after}", "order_status")
    assert request(row, frame)[-1].content == 'Message: "Where is my parcel?"'
    made = paraphrased(row, frame, REPLY)
    assert isinstance(made, Chat)
    assert made.prompt[0].content == f"{before}Has my parcel got lost?{after}"


def test_prompts_that_only_begin_alike_have_no_frame() -> None:
    assert frame_of([f"Where is my parcel {n}?" for n in range(30)]) == Frame()
    assert frame_of([f"Sort this:\n{n}" for n in range(19)]) == Frame()  # too few to tell
    assert frame_of([]) == Frame()


def test_a_prompt_outside_the_frame_changes_as_a_whole() -> None:
    frame = Frame("Question: ", "\nAnswer:")
    assert frame.inside("Where?") == "Where?"
    assert frame.around("Whither?", "Where?") == "Whither?"
    assert frame.inside("Question: \nAnswer:") == "Question: \nAnswer:"
