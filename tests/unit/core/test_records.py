from __future__ import annotations

import json

import pytest

from burnish.core.records import Chat, Dropped, Item, Message, Pair, Row, Text, row_from_json

CHAT = Chat("1", (Message("system", "s"), Message("user", "q\u2028"), Message("assistant", "a 🦊")), "a.jsonl:3", "g")


PAIR = Pair("4", CHAT.prompt, "a 🦊", "b\u2028", "c.jsonl:2", "g")


@pytest.mark.parametrize("row", [CHAT, Text("2", "text", "b.txt:1", "h"), Chat("3", (Message("user", "q"),)), PAIR])
def test_a_row_comes_back_as_it_was(row: Row) -> None:
    assert row_from_json(json.loads(json.dumps(row.to_json()))) == row


def test_an_item_comes_back_as_it_was() -> None:
    item = Item("task", "1", "base", "q", None, "a", {"label": 1.0})
    assert Item.from_json(json.loads(json.dumps(item.to_json()))) == item


def test_prompt_and_answer_are_the_conversation_cut_before_its_end() -> None:
    assert CHAT.prompt == CHAT.messages[:2]
    assert CHAT.answer == "a 🦊"
    assert PAIR.answered(PAIR.chosen) == CHAT.messages
    assert Dropped("a:1", "empty").to_json()["reason"] == "empty"
