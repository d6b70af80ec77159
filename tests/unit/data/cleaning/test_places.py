from __future__ import annotations

import pytest

from burnish.core.errors import BurnishError
from burnish.core.records import Changed, Chat, Message, Pair, Prompt, Rated, Row, Text, ToolCall
from burnish.data.cleaning.places import MASKED, replaced, strings_in, texts_of, undo, with_texts

ASKED = (Message("user", "ask"),)
ROWS: list[Row] = [
    Chat(
        "1",
        (
            *ASKED,
            Message("assistant", "", (ToolCall("call", '{"to": "x"}'),)),
            Message("tool", "done"),
            Message("assistant", "ok"),
        ),
    ),
    Text("2", "text"),
    Pair("3", ASKED, "good", "bad"),
    Rated("4", ASKED, "so so", 0.5),
    Prompt("5", ASKED, {"answer": "42", "all": ["a", {"b.c": "d"}]}),
]


@pytest.mark.parametrize("row", ROWS)
def test_every_text_can_be_replaced_at_its_place(row: Row) -> None:
    places = dict(texts_of(row))
    changed = with_texts(row, {place: f"{text}!" for place, text in places.items()})
    assert dict(texts_of(changed)) == {place: f"{text}!" for place, text in places.items()}
    assert with_texts(changed, places) == row


def test_places_are_those_of_the_json_form() -> None:
    assert [place for place, _ in texts_of(ROWS[0])] == [
        "messages.0.content",
        "messages.1.content",
        "messages.1.tool_calls.0.function.arguments",
        "messages.2.content",
        "messages.3.content",
    ]
    assert [place for place, _ in texts_of(ROWS[4])] == [
        "prompt.0.content",
        "reference.answer",
        "reference.all.0",
        "reference.all.1.b.c",
    ]


def test_strings_of_any_json_value_are_found_and_replaced() -> None:
    value = {"a": ["x", 1, None], "b": {"c.d": "y"}}
    assert list(strings_in(value)) == [("a.0", "x"), ("b.c.d", "y")]
    assert replaced(value, "b.c.d", "z") == {"a": ["x", 1, None], "b": {"c.d": "z"}}


def test_repairs_are_taken_back_last_first() -> None:
    row = Text("1", "c", "f:1")
    changes = [Changed("f:1", "1", "one", "text", "a", "b"), Changed("f:1", "1", "two", "text", "b", "c")]
    assert undo(row, changes) == Text("1", "a", "f:1")


def test_a_repair_of_another_text_is_refused_and_so_is_a_mask() -> None:
    with pytest.raises(BurnishError, match="changed since"):
        undo(Text("1", "x"), [Changed("f:1", "1", "one", "text", "a", "b")])
    with pytest.raises(BurnishError, match="mask"):
        undo(Text("1", "x"), [Changed("f:1", "1", MASKED, "text", "", "x")])
