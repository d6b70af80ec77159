"""Conversations with tools and weights, in every spelling that files use."""

from __future__ import annotations

from typing import Any

import pytest

from burnish.core.records import Chat, Message, ToolCall
from burnish.data.layout.convert import convert
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.reasons import REASONS, Unusable

CHAT = Format("messages", turns="messages")
SHARED = Format("sharegpt", turns="conversations")
FUNCTION = {"name": "look", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}
ASKED, ANSWERED = {"role": "user", "content": "sky?"}, {"role": "assistant", "content": "blue"}
ARGUMENTS = '{"where": "up",  "n": 1}'
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": ARGUMENTS}}],
}
RETURNED = {"role": "tool", "tool_call_id": "c1", "content": "it is blue"}
CALLED_BARE = {"type": "function", "function": {"name": "look", "arguments": "{}"}}
EXPECTED = (
    Message("user", "sky?"),
    Message("assistant", "", (ToolCall("look", ARGUMENTS, "c1"),)),
    Message("tool", "it is blue", tool_call_id="c1"),
    Message("assistant", "blue"),
)


def messages_of(*turns: Any, layout: Format = CHAT, **row: Any) -> tuple[Message, ...]:
    found = convert({layout.turns: list(turns), **row}, layout).row
    assert isinstance(found, Chat)
    return found.messages


def test_openai_tools_and_calls_are_read_exactly() -> None:
    row = {"messages": [ASKED, CALLED, RETURNED, ANSWERED], "tools": [TOOL], "parallel_tool_calls": False}
    assert convert(row, CHAT) == Converted(Chat("", EXPECTED, tools=(TOOL,)))


def test_a_conversation_may_end_on_a_call() -> None:
    assert messages_of(ASKED, CALLED) == EXPECTED[:2]
    assert messages_of(ASKED, CALLED, RETURNED) == EXPECTED[:2]  # nobody reads the result, so it is cut
    assert messages_of(ASKED, CALLED, RETURNED, ANSWERED, ASKED, CALLED)[-1].tool_calls == EXPECTED[1].tool_calls


def test_functions_are_what_tools_were_called_before() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": ARGUMENTS}}
    returned = {"role": "function", "name": "look", "content": "it is blue"}
    found = convert({"messages": [ASKED, called, returned, ANSWERED], "functions": [FUNCTION]}, CHAT).row
    turns = (
        EXPECTED[0],
        Message("assistant", "", (ToolCall("look", ARGUMENTS),)),
        Message("tool", "it is blue", name="look"),
        EXPECTED[3],
    )
    assert found == Chat("", turns, tools=(TOOL,))


def test_sharegpt_calls_and_observations_are_read() -> None:
    row = {
        "conversations": [
            {"from": "human", "value": "sky?"},
            {"from": "function_call", "value": '{"name": "look", "arguments": {"where": "ü"}}'},
            {"from": "observation", "value": "it is blue"},
            {"from": "gpt", "value": "blue"},
        ],
        "tools": '[{"name": "look", "parameters": {"type": "object", "properties": {}}}]',
        "system": "Be brief.",
    }
    call = ToolCall("look", '{"where": "ü"}')
    turns = (
        Message("system", "Be brief."),
        Message("user", "sky?"),
        Message("assistant", "", (call,)),
        Message("tool", "it is blue"),
        Message("assistant", "blue"),
    )
    assert convert(row, SHARED) == Converted(Chat("", turns, tools=(TOOL,)))


@pytest.mark.parametrize(
    "call",
    [
        {"function": {"name": "look", "arguments": {"where": "up"}}},
        {"name": "look", "arguments": {"where": "up"}},
        {"id": None, "type": "function", "function": {"name": "look", "arguments": '{"where": "up"}'}},
    ],
)
def test_arguments_may_be_objects_and_calls_may_be_bare(call: Any) -> None:
    turns = messages_of(ASKED, {"role": "assistant", "tool_calls": [call]})
    assert turns[1].tool_calls == (ToolCall("look", '{"where": "up"}'),)


def test_no_arguments_are_an_empty_object() -> None:
    for arguments in ("", None, {}):
        call = {"function": {"name": "look", "arguments": arguments}}
        assert messages_of(ASKED, {"role": "assistant", "tool_calls": [call]})[1].tool_calls[0].arguments == "{}"


def test_columns_that_a_table_leaves_null_are_absent() -> None:
    empty = {"tool_calls": None, "tool_call_id": None, "name": None, "function_call": None, "weight": None}
    assert messages_of(ASKED | empty, ANSWERED | empty) == (EXPECTED[0], EXPECTED[3])


def test_results_that_are_no_text_are_json() -> None:
    parts = RETURNED | {"content": [{"type": "text", "text": "it is "}, {"type": "text", "text": "blue"}]}
    assert messages_of(ASKED, CALLED, parts, ANSWERED)[2].content == "it is blue"
    assert messages_of(ASKED, CALLED, RETURNED | {"content": {"ä": 1}}, ANSWERED)[2].content == '{"ä": 1}'
    assert messages_of(ASKED, CALLED, RETURNED | {"content": ""}, ANSWERED)[2].content == ""


def test_calls_in_one_turn_may_have_a_result_each() -> None:
    both = {"role": "assistant", "tool_calls": [{"id": "c1", **CALLED_BARE}, {"id": "c2", **CALLED_BARE}]}
    turns = messages_of(ASKED, both, RETURNED | {"tool_call_id": "c2"}, RETURNED, ANSWERED)
    assert [turn.role for turn in turns] == ["user", "assistant", "tool", "tool", "assistant"]


def test_weight_0_is_context_and_what_follows_the_last_learnt_answer_is_cut() -> None:
    turns = messages_of(ASKED, ANSWERED | {"weight": 0}, ASKED, ANSWERED | {"weight": 1})
    assert [turn.trained for turn in turns] == [True, False, True, True]
    row = {"messages": [ASKED, ANSWERED, ASKED, ANSWERED | {"weight": 0}]}
    assert convert(row, CHAT) == Converted(Chat("", (EXPECTED[0], EXPECTED[3])), cut_turns=2)


def test_a_refusal_and_a_name_are_kept() -> None:
    refused = {"role": "assistant", "content": None, "refusal": "No."}
    assert messages_of(ASKED | {"name": "Ann"}, refused) == (
        Message("user", "sky?", name="Ann"),
        Message("assistant", "No."),
    )
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert messages_of(ASKED, part)[1].content == "No."


def test_a_developer_is_the_system() -> None:
    assert messages_of({"role": "developer", "content": "s"}, ASKED, ANSWERED)[0] == Message("system", "s")


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ((ASKED, CALLED, ASKED, ANSWERED), "role_order"),
        ((ASKED, CALLED, ANSWERED), "role_order"),
        ((RETURNED, ANSWERED), "role_order"),
        ((ASKED, CALLED, RETURNED, ASKED, ANSWERED), "role_order"),
        ((ASKED, CALLED, RETURNED | {"tool_call_id": "c9"}, ANSWERED), "unmatched_tool_result"),
        ((ASKED, {"role": "assistant", "tool_calls": ["look"]}), "broken_tool_call"),
        ((ASKED, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}),
         "broken_tool_call"),
        ((ASKED, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}),
         "broken_tool_call"),
        ((ASKED, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"x": "\ud800"}}}]}),
         "broken_character"),
        ((ASKED, CALLED, RETURNED | {"content": "\ud800"}, ANSWERED), "broken_character"),
    ],
)  # fmt: skip
def test_turns_that_are_not_sound_have_a_reason(turns: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        messages_of(*turns)
    assert caught.value.reason == reason
    assert reason in REASONS
