"""Lists of messages in OpenAI's or ShareGPT's spelling, and whether the turns are sound."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from burnish.core.records import Message, Role
from burnish.data.layout.fields import as_text, check_characters, check_text, parsed
from burnish.data.layout.reasons import Unusable
from burnish.data.layout.tools import calls_of, read_calls

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "ipython": "tool",
}
TEXT_PARTS = ("text", "refusal")
SYSTEMS = ("system", "system_prompt")
# s: system, u: user, a: answer, c: call of tools, t: what a tool gave back. Some files write calls into the answer.
SOUND = re.compile(r"s?(?:u(?:[ac]t+)*a)*u(?:[ac]t+)*[ac]")
SOUND_PROMPT = re.compile(r"s?(?:u(?:[ac]t+)*a)*u(?:[ac]t+)*")


def are_turns(found: Any) -> bool:
    """Whether this is a list of messages."""
    return (
        isinstance(found, list) and bool(found) and isinstance(found[0], dict) and bool({"role", "from"} & {*found[0]})
    )


def system_of(value: Mapping[str, Any]) -> list[Message]:
    """A row's own system message, as a list of one, or of none where there is no text for it."""
    return next((found for key in SYSTEMS if (found := _system(value.get(key)))), [])


def _system(text: Any) -> list[Message]:
    return [Message("system", text)] if isinstance(text, str) and text.strip() else []


def read_turns(found: Any, where: str, system: Sequence[Message] = ()) -> list[Message]:
    """The messages of a list, after the row's system message unless they bring their own; a blank one is none.

    Raises Unusable: this is no list of messages, or one of them is not text of a known role.
    """
    found = parsed(found)
    if not isinstance(found, list):
        raise Unusable("missing_field", f"{where!r} is a {type(found).__name__}, not a list of messages")
    messages = [_message(turn) for turn in found]
    if messages and messages[0].role == "system":
        return messages if messages[0].content.strip() else messages[1:]
    return [*system, *messages]


def _message(turn: Any) -> Message:
    if not isinstance(turn, dict):
        raise Unusable("missing_field", f"a message is a {type(turn).__name__}, not an object")
    spelled = turn.get("role", turn.get("from"))
    role = ROLES.get(str(spelled).strip().lower())
    content = turn.get("content", turn.get("value"))
    name = str(turn.get("name") or "")
    if role is None:
        raise Unusable("unknown_role", f"role {spelled!r}")
    if role == "tool":
        return Message(role, _result(content), tool_call_id=str(turn.get("tool_call_id") or ""), name=name)
    if role == "assistant":
        calls = read_calls(turn)
        if spelled == "function_call":
            content, calls = "", calls_of(parsed(content))
        elif content is None:
            content = turn.get("refusal") or ("" if calls else None)
        return Message(role, _text(content), calls, name=name, trained=turn.get("weight") != 0)
    return Message(role, _text(content), name=name)


def _text(content: Any) -> str:
    """A string, or OpenAI's list of parts when all of them are text."""
    if isinstance(content, str):
        return content
    if content is None:
        raise Unusable("missing_field", "a message without content")
    if not isinstance(content, list):
        raise Unusable("unsupported_content", f"content is a {type(content).__name__}")
    texts = [part.get(part["type"]) for part in content if isinstance(part, dict) and part.get("type") in TEXT_PARTS]
    if len(texts) < len(content) or not all(isinstance(text, str) for text in texts):
        raise Unusable("unsupported_content", "a part that is not text")
    return "".join(str(text) for text in texts)


def _result(content: Any) -> str:
    """What a tool gave back: text, or any value as JSON."""
    parts = isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content)
    return _text(content) if parts else as_text("" if content is None else content, "a tool's result")


def answered(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages up to the last answer that is learnt. Raises Unusable: there is none, or the turns are not sound."""
    learnt = [place for place, message in enumerate(messages) if message.role == "assistant" and message.trained]
    if not learnt:
        raise Unusable("no_answer", f"{len(messages)} messages")
    kept = tuple(messages[: learnt[-1] + 1])
    check_turns(kept, SOUND)
    return kept


def check_turns(messages: Sequence[Message], order: re.Pattern[str] = SOUND) -> None:
    """Raises Unusable: a message is empty or broken, a tool answers no call, or the roles stand in another order."""
    letters = ""
    for number, message in enumerate(messages, start=1):
        where = f"message {number} of {len(messages)} ({message.role})"
        if message.tool_calls or message.role == "tool":
            check_characters(message.content, where)
        else:
            check_text(message.content, "empty_answer" if message.role == "assistant" else "empty_prompt", where)
        letters += "c" if message.tool_calls else message.role[0]
    if not order.fullmatch(letters):
        raise Unusable("role_order", " ".join(message.role for message in messages[:12]))
    if "c" in letters:
        _check_results(messages)


def _check_results(messages: Sequence[Message]) -> None:
    """Every result that names a call names one of those just made."""
    made: set[str] = set()
    for message in messages:
        if message.tool_calls:
            made = {call.id for call in message.tool_calls}
        elif message.role == "tool" and message.tool_call_id and message.tool_call_id not in made and "" not in made:
            raise Unusable("unmatched_tool_result", message.tool_call_id)
