from typing import Any

import pytest

from burnish.core.records import Message
from burnish.data.convert import Converted, convert
from burnish.data.reasons import REASONS, Unusable
from burnish.data.recognise import Format

PAIR = Format("prompt_completion", prompt="q", completion="a")
CHAT = Format("messages", turns="messages")
ASKED = {"role": "user", "content": "hi"}
ANSWERED = {"role": "assistant", "content": "yo"}


def dialogue(*turns: tuple[str, str], cut: int = 0) -> Converted:
    return Converted(tuple(Message(role, text) for role, text in turns), cut)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("b", "b"),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        ({"ä": [1]}, '{"ä": [1]}'),
        ([{"role": "assistant", "content": "b"}], "b"),
    ],
)
def test_an_answer_of_any_type_becomes_text(answer: Any, text: str) -> None:
    assert convert({"q": "a", "a": answer}, PAIR) == dialogue(("user", "a"), ("assistant", text))


def test_a_system_column_is_the_first_message() -> None:
    expected = dialogue(("system", "be brief"), ("user", "x"), ("assistant", "y"))
    assert convert({"q": "x", "a": "y", "system": "be brief"}, PAIR) == expected


def test_alpaca_joins_instruction_and_input() -> None:
    layout = Format("alpaca", prompt="instruction", context="input", completion="output")
    row = {"instruction": "add", "input": "1 2", "output": "3"}
    assert convert(row, layout) == dialogue(("user", "add\n\n1 2"), ("assistant", "3"))
    assert convert(row | {"input": ""}, layout) == dialogue(("user", "add"), ("assistant", "3"))


def test_a_template_replaces_names_and_reaches_no_attributes() -> None:
    layout = Format("columns", template="{{{q}}} {q.__class__}", completion="a")
    row = {"q": "{a}", "q.__class__": "plain", "a": "y"}
    assert convert(row, layout) == dialogue(("user", "{{a}} plain"), ("assistant", "y"))
    with pytest.raises(Unusable, match="missing_field"):
        convert({"q": "x", "a": "y"}, layout)


def test_roles_of_other_tools_and_parts_of_text_are_understood() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    row = {"messages": [{"role": "developer", "content": "s"}, {"role": "USER", "content": parts}, ANSWERED]}
    assert convert(row, CHAT) == dialogue(("system", "s"), ("user", "ab"), ("assistant", "yo"))
    shared = {"c": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}], "system": "s"}
    expected = dialogue(("system", "s"), ("user", "x"), ("assistant", "y"))
    assert convert(shared, Format("sharegpt", turns="c")) == expected


def test_a_conversation_stays_whole_up_to_its_last_answer() -> None:
    turns = [ASKED, ANSWERED, ASKED, ANSWERED, ASKED]
    expected = dialogue(*[("user", "hi"), ("assistant", "yo")] * 2, cut=1)
    assert convert({"messages": turns}, CHAT) == expected


def chat(*turns: Any) -> dict[str, Any]:
    return {"messages": list(turns)}


@pytest.mark.parametrize(
    ("row", "layout", "reason"),
    [
        ({"q": "x"}, PAIR, "missing_field"),
        ({"q": "x", "a": None}, PAIR, "missing_field"),
        ({"q": "x", "a": float("nan")}, PAIR, "missing_field"),
        ({"q": " \n", "a": "y"}, PAIR, "empty_prompt"),
        ({"q": "x", "a": ""}, PAIR, "empty_answer"),
        ({"q": "\ud800", "a": "y"}, PAIR, "broken_character"),
        ({"text": " "}, Format("text", text="text"), "empty_text"),
        (chat(), CHAT, "no_answer"),
        (chat(ASKED), CHAT, "no_answer"),
        (chat(ANSWERED), CHAT, "role_order"),
        (chat(ASKED, ASKED, ANSWERED), CHAT, "role_order"),
        (chat(ASKED, {"role": "system", "content": "s"}, ANSWERED), CHAT, "role_order"),
        (chat(ASKED, {"role": "assistant", "content": ""}, ASKED, ANSWERED), CHAT, "empty_answer"),
        (chat({"role": "alien", "content": "x"}, ANSWERED), CHAT, "unknown_role"),
        (chat(ASKED, {"role": "tool", "content": "x"}, ANSWERED), CHAT, "unsupported_role"),
        (chat(ASKED, {"role": "assistant", "content": None, "tool_calls": [{}]}), CHAT, "unsupported_content"),
        (chat(ASKED, ANSWERED | {"weight": 0}), CHAT, "unsupported_content"),
        (chat({"role": "user", "content": [{"type": "image_url"}]}, ANSWERED), CHAT, "unsupported_content"),
        (chat({"role": "user"}, ANSWERED), CHAT, "missing_field"),
        (chat("hi"), CHAT, "missing_field"),
        ({"messages": "hi"}, CHAT, "missing_field"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(row: dict[str, Any], layout: Format, reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        convert(row, layout)
    assert caught.value.reason == reason
    assert reason in REASONS
