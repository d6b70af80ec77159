"""How messages and tools reach a chat template, and which templates show tools at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from burnish.core.errors import DataError
from burnish.core.records import Message, ToolCall, Tools

Shown: TypeAlias = dict[str, Any]  # a message as templates read it
Part: TypeAlias = Literal["definitions", "calls", "results"]
PARTS: tuple[Part, ...] = ("definitions", "calls", "results")
# The keys by which templates find their way.
FIXED = ("role", "content", "name", "tool_calls", "tool_call_id", "id", "type", "function", "arguments")
DEFINED, CALLED, RETURNED = "look_up_in_atlas", "measure_distance", "forty-two leagues"
PROBE_TOOLS: Tools = (
    {
        "type": "function",
        "function": {
            "name": DEFINED,
            "description": "Looks up.",
            "parameters": {"type": "object", "properties": {"place": {"type": "string", "description": "A place."}}},
        },
    },
)
PROBE_CALLS = (
    Message("user", "A question."),
    Message("assistant", "", (ToolCall(CALLED, '{"place": "here"}', "abcdefghi"),)),
    Message("tool", RETURNED, tool_call_id="abcdefghi", name=CALLED),
    Message("assistant", "An answer."),
)


def shown(message: Message) -> Shown:
    """A message in the form that chat templates read: arguments are objects there, and nothing is said of training."""
    value = message.to_json()
    value.pop("weight", None)
    for call in value.get("tool_calls", ()):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return value


def strings(value: Any) -> Iterator[str]:
    """Every text inside a message or a tool, names of arguments included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inside in value.items():
            if key not in FIXED:
                yield key
            yield from strings(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from strings(inside)


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A message or a tool with each of these texts changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key if key in FIXED else change(key): mapped(inside, change) for key, inside in value.items()}
    return [mapped(inside, change) for inside in value] if isinstance(value, list | tuple) else value


def parts_used(messages: Sequence[Message], tools: Tools) -> frozenset[Part]:
    """What of tools a conversation holds."""
    used: list[Part] = ["definitions"] if tools else []
    for message in messages:
        if message.tool_calls:
            used.append("calls")
        elif message.role == "tool":
            used.append("results")
    return frozenset(used)


def parts_shown(text_of: Callable[[Sequence[Message], Tools], str]) -> frozenset[Part]:
    """What of tools a template writes down; `text_of` renders with it. Found by giving it a conversation with tools."""
    try:
        defined = DEFINED in text_of(PROBE_CALLS[:1], PROBE_TOOLS)
    except DataError:
        defined = False
    try:
        text = text_of(PROBE_CALLS, PROBE_TOOLS)
    except DataError:
        text = ""
    found = (defined, CALLED in text, RETURNED in text)
    return frozenset(part for part, is_there in zip(PARTS, found, strict=True) if is_there)


def check_shown(messages: Sequence[Message], tools: Tools, parts: frozenset[Part]) -> None:
    """Raises DataError: the template would leave out something of the conversation's tools."""
    missing = parts_used(messages, tools) - parts
    if missing:
        raise DataError(
            "The model's chat template does not show tools.",
            seen="it leaves out the tools' " + " and ".join(part for part in PARTS if part in missing),
            next_move="use a model that was made for tools (its template reads `tools` and `tool_calls`), "
            "or leave out the rows that need them",
        )
