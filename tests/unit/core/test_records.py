from __future__ import annotations

import json

import pytest

from burnish.core.records import (
    Chat,
    Dropped,
    Item,
    Message,
    Pair,
    Prompt,
    Rated,
    Row,
    Text,
    ToolCall,
    row_from_json,
)

CHAT = Chat("1", (Message("system", "s"), Message("user", "q\u2028"), Message("assistant", "a 🦊")), "a.jsonl:3", "g")


PAIR = Pair("4", CHAT.prompt, "a 🦊", "b\u2028", "c.jsonl:2", "g")


TOOLS = ({"type": "function", "function": {"name": "look", "parameters": {"a": [1, None]}}},)
CALL = ToolCall("look", '{"a":  1}', "c1")
CALLING = (
    Message("user", "q", name="Ann"),
    Message("assistant", "", (CALL, ToolCall("look", "{}"))),
    Message("tool", "r", tool_call_id="c1", name="look"),
    Message("assistant", "a", trained=False),
    Message("user", "q"),
    Message("assistant", "b"),
)
ROWS = [
    CHAT,
    Text("2", "text", "b.txt:1", "h"),
    Chat("3", (Message("user", "q"),)),
    PAIR,
    Chat("5", CALLING, "d.jsonl:1", "g", TOOLS),
    Pair("6", CALLING[:5], "a", "b", tools=TOOLS),
    Rated("7", CHAT.prompt, "a", True, "e.jsonl:1"),
    Rated("8", CHAT.prompt, "a", 0.5, tools=TOOLS),
    Prompt("9", CHAT.prompt, {"answer": 1, "score": None, "text": "t"}, "f.jsonl:1", "g", TOOLS),
    Prompt("10", CHAT.prompt),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_a_row_comes_back_as_it_was(row: Row) -> None:
    back = row_from_json(json.loads(json.dumps(row.to_json())))
    assert back == row
    assert back.to_json() == row.to_json()


def test_a_message_is_written_in_openais_form() -> None:
    assert CALLING[1].to_json()["tool_calls"][0] == {
        "id": "c1",
        "type": "function",
        "function": {"name": "look", "arguments": '{"a":  1}'},
    }
    assert CALLING[3].to_json() == {"role": "assistant", "content": "a", "weight": 0}
    assert CHAT.messages[0].to_json() == {"role": "system", "content": "s"}


def test_what_calls_say_is_their_json() -> None:
    lines = '{"name": "look", "arguments": {"a":  1}}\n{"name": "look", "arguments": {}}'
    assert CALLING[1].said == Chat("", CALLING[:2]).answer == lines
    assert Message("assistant", "So:", (CALL,)).said == "So:\n" + lines.split("\n")[0]


def test_an_item_comes_back_as_it_was() -> None:
    item = Item("task", "1", "base", "q", None, "a", {"label": 1.0})
    assert Item.from_json(json.loads(json.dumps(item.to_json()))) == item


def test_prompt_and_answer_are_the_conversation_cut_before_its_end() -> None:
    assert CHAT.prompt == CHAT.messages[:2]
    assert CHAT.answer == "a 🦊"
    assert PAIR.answered(PAIR.chosen) == CHAT.messages
    assert Dropped("a:1", "empty").to_json()["reason"] == "empty"
