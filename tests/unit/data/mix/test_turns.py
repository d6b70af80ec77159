import json
import random
from dataclasses import replace

from burnish.core.records import Chat, Message, ToolCall
from burnish.data.mix.turns import exchanges, split_on_turns
from tests.unit.data.mix.talks import length_of, some_talk, talk, words

CALL = Message("assistant", "", (ToolCall("f", "{}", "1"),))
RESULT = Message("tool", "42", tool_call_id="1")


def test_an_exchange_goes_from_a_question_to_the_answer_with_the_calls_in_between() -> None:
    one, other = talk(3, 3), talk(4, 4)
    system, found = exchanges((Message("system", "s"), one[0], CALL, RESULT, one[1], *other))
    assert system == (Message("system", "s"),)
    assert found == [(one[0], CALL, RESULT, one[1]), other]
    assert exchanges(other) == ((), [other])
    greeted = (Message("assistant", "Hello."), *other)
    assert exchanges(greeted) == ((), [greeted[:1], other])


def test_a_conversation_becomes_several_that_fit() -> None:
    # System 4 + 2; each exchange 10 + 5 + 4 = 19. Two fit into 50 (6 + 38), three (63) do not.
    row = Chat("c", talk(*[10, 5] * 5, system=4), "f:1", "g")
    found = split_on_turns(row, length_of(row), 50, length_of)
    assert [one.id for one in found.rows] == ["c.1", "c.3", "c.5"]
    assert [length_of(one) for one in found.rows] == [44, 44, 25]
    assert all(isinstance(one, Chat) and one.messages[0].role == "system" for one in found.rows)
    assert {(one.source, one.group) for one in found.rows} == {("f:1", "g")}
    assert found.dropped == ()
    (changed,) = found.changed
    assert (changed.id, changed.reason, changed.path) == ("c.1", "split_on_turns", "messages")
    assert json.loads(changed.before) == row.to_json()["messages"]
    assert json.loads(changed.after) == ["c.1", "c.3", "c.5"]


def test_an_exchange_that_does_not_fit_alone_is_left_out_with_the_reason() -> None:
    row = Chat("c", talk(5, 5, 90, 5, 5, 5), "f:1")
    found = split_on_turns(row, length_of(row), 50, length_of)
    assert [one.id for one in found.rows] == ["c.1", "c.3"]
    (dropped,) = found.dropped
    assert (dropped.reason, dropped.detail) == ("too_long", "99 tokens, context 50: exchange 2 of 3")
    assert dropped.row["messages"][0]["content"] == words(90, "m2-")
    assert found.made == 2


def test_a_single_exchange_cannot_be_split() -> None:
    row = Chat("c", talk(90, 5), "f:1")
    found = split_on_turns(row, 99, 50, length_of)
    assert found.rows == found.changed == ()
    assert found.dropped[0].detail == "99 tokens, context 50: a single exchange"
    assert found.made == 0


def test_a_part_with_nothing_to_learn_is_left_out() -> None:
    asked = talk(20, 20, 20, 20)
    row = Chat("c", (asked[0], replace(asked[1], trained=False), *asked[2:]))
    found = split_on_turns(row, length_of(row), 50, length_of)
    assert [one.id for one in found.rows] == ["c.2"]
    assert "without an answer to learn" in found.dropped[0].detail


def test_no_answer_is_lost_or_learnt_twice() -> None:
    chance = random.Random(0)
    for _ in range(200):
        row, limit = Chat("c", some_talk(chance)), chance.randint(20, 200)
        if length_of(row) <= limit:
            continue
        found = split_on_turns(row, length_of(row), limit, length_of)
        assert all(length_of(one) <= limit for one in found.rows)
        assert all(one.messages[-1].role == "assistant" for one in found.rows if isinstance(one, Chat))
        kept = [
            json.dumps(message.to_json()) for one in found.rows if isinstance(one, Chat) for message in one.messages
        ]
        lost = [json.dumps(message) for one in found.dropped for message in one.row["messages"]]
        answers = [json.dumps(message.to_json()) for message in row.messages if message.role == "assistant"]
        assert sorted(part for part in kept + lost if part in answers) == sorted(answers)


def test_each_part_is_measured_a_few_times_only() -> None:
    row = Chat("c", talk(*[10, 5] * 50))
    tries = 0

    def counted(one: object) -> int:
        nonlocal tries
        tries += 1
        assert isinstance(one, Chat)
        return length_of(one)

    found = split_on_turns(row, length_of(row), 100, counted)
    assert len(found.rows) == 10
    assert tries <= 50 + 2 * len(found.rows)
