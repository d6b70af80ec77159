import json
import random

from burnish.core.records import Chat, Message, Pair, Prompt, Rated
from burnish.data.mix.context import MARK, Talk, cut_context
from tests.unit.data.mix.talks import length_of, some_talk, talk, words


def test_the_oldest_turns_go_first() -> None:
    # System 6, exchanges of 19: two fit into 50 (44), three (63) do not.
    row = Chat("c", talk(*[10, 5] * 4, system=4), "f:1")
    found = cut_context(row, length_of(row), 50, length_of)
    (kept,) = found.rows
    assert isinstance(kept, Chat)
    assert kept.messages == (row.messages[0], *row.messages[-4:])
    assert kept.id == "c"
    (changed,) = found.changed
    assert (changed.reason, changed.path) == ("turns_left_out", "messages")
    assert json.loads(changed.before) == row.to_json()["messages"]
    assert json.loads(changed.after) == kept.to_json()["messages"]


def test_the_longest_text_of_the_last_turn_loses_its_middle() -> None:
    row = Chat(
        "c", (Message("system", "Answer."), Message("user", f"Read:\n{words(300)}\nWhat is it?"), *talk(0, 8)[1:])
    )
    found = cut_context(row, length_of(row), 100, length_of)
    (kept,) = found.rows
    assert isinstance(kept, Chat)
    assert kept.messages[::2] == row.messages[::2]
    text = kept.messages[1].content
    front, _, back = text.partition(MARK)
    assert row.messages[1].content.startswith(front)
    assert row.messages[1].content.endswith(back)
    assert front.startswith("Read:\nw0 w1 ")
    assert back.endswith(" w299\nWhat is it?")
    assert abs(len(front.split()) - len(back.split())) <= 1
    assert 90 <= length_of(kept) <= 100
    (changed,) = found.changed
    assert (changed.reason, changed.path) == ("context_cut", "messages.1.content")
    assert (changed.before, changed.after) == (row.messages[1].content, text)


def test_turns_and_text_can_both_be_cut() -> None:
    row = Chat("c", talk(10, 5, 200, 5))
    found = cut_context(row, length_of(row), 50, length_of)
    assert [changed.reason for changed in found.changed] == ["turns_left_out", "context_cut"]
    assert found.changed[1].path == "messages.0.content"


def test_answers_stay_as_they_are_for_every_kind_of_row() -> None:
    chance = random.Random(0)
    kept = 0
    for number in range(300):
        messages, answer, limit = some_talk(chance), words(chance.randint(1, 40), "a"), chance.randint(40, 120)
        rows: list[Talk] = [
            Chat("c", messages),
            Pair("p", messages[:-1], answer, "no"),
            Rated("r", messages[:-1], answer, True),
            Prompt("q", messages[:-1]),
        ]
        row = rows[number % 4]
        if length_of(row) <= limit:
            continue
        found = cut_context(row, length_of(row), limit, length_of)
        if not found.rows:
            assert found.dropped[0].row == row.to_json()
            continue
        kept += 1
        (one,) = found.rows
        assert length_of(one) <= limit
        assert type(one) is type(row)
        if isinstance(one, Chat):
            assert one.messages[-1] == messages[-1]
            assert all(message in messages for message in one.messages if message.role == "assistant")
        else:
            before, after = row.to_json(), one.to_json()
            assert {**before, "prompt": None} == {**after, "prompt": None}
    assert kept > 50


def test_an_answer_that_does_not_fit_alone_is_left_out() -> None:
    row = Chat("c", talk(10, 80), "f:1")
    found = cut_context(row, length_of(row), 50, length_of)
    assert found.rows == ()
    assert found.dropped[0].detail == "94 tokens, context 50: even with a tenth of its longest text"


def test_a_question_is_not_cut_to_nothing() -> None:
    """400 words are left in 1,000; of 10,000 that would be a twenty-fifth, which nobody can answer."""
    for count, kept in ((1_000, 1), (10_000, 0)):
        row = Chat("c", talk(count, 600))
        assert len(cut_context(row, length_of(row), 1_000, length_of).rows) == kept


def test_a_row_without_words_before_the_answer_is_left_out() -> None:
    for messages in ((Message("user", ""), Message("assistant", words(90))), (Message("assistant", words(90)),)):
        assert cut_context(Chat("c", messages), 95, 50, length_of).rows == ()


def test_a_cut_takes_a_few_measurements() -> None:
    tries = 0

    def counted(row: object) -> int:
        nonlocal tries
        tries += 1
        assert isinstance(row, Chat)
        return length_of(row)

    row = Chat("c", talk(50_000, 100))
    assert cut_context(row, length_of(row), 6_000, counted).rows
    assert tries <= 5
