"""Reading one field of a raw row: a text, a list of messages in either spelling; and whether turns are sound."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from burnish.core.records import Message, Role
from burnish.data.reasons import Unusable

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
}
TOOL_ROLES = ("tool", "function", "function_call", "observation", "ipython")


def field(value: Mapping[str, Any], key: str) -> Any:
    """What stands under a key. Raises Unusable: nothing does."""
    if value.get(key) is None:
        raise Unusable("missing_field", f"{key!r} is absent or null")
    return value[key]


def scalar_text(value: Mapping[str, Any], key: str) -> str:
    """A string as it is; a number or truth value as JSON writes it; an object or list as JSON."""
    found = field(value, key)
    if isinstance(found, str):
        return found
    if isinstance(found, float) and not math.isfinite(found):
        raise Unusable("missing_field", f"{key!r} is {found}")
    return json.dumps(found, ensure_ascii=False, default=str)


def optional_text(value: Mapping[str, Any], key: str) -> str:
    """`scalar_text`, or nothing where the key is absent."""
    return scalar_text(value, key) if value.get(key) is not None else ""


def text_or_turns(value: Mapping[str, Any], key: str) -> str | list[Message]:
    """A prompt or an answer: a text, or a list of messages."""
    found = field(value, key)
    if isinstance(found, list) and found and isinstance(found[0], dict) and "role" in found[0]:
        return turns_of(value, key)
    return scalar_text(value, key)


def turns_of(value: Mapping[str, Any], key: str, system: Any = None) -> list[Message]:
    """The messages of one key, in OpenAI's or ShareGPT's spelling; an empty system message is none."""
    found = field(value, key)
    if not isinstance(found, list):
        raise Unusable("missing_field", f"{key!r} is a {type(found).__name__}, not a list of messages")
    messages = [_message(turn) for turn in found]
    if messages and messages[0].role == "system":
        return [*system_message(messages[0].content), *messages[1:]]
    return [*system_message(system), *messages]


def system_message(text: Any) -> list[Message]:
    """A list of one system message, or of none where the text is absent or blank."""
    return [Message("system", text)] if isinstance(text, str) and text.strip() else []


def _message(turn: Any) -> Message:
    if not isinstance(turn, dict):
        raise Unusable("missing_field", f"a message is a {type(turn).__name__}, not an object")
    role = turn.get("role", turn.get("from"))
    name = str(role).strip().lower()
    if name in TOOL_ROLES:
        raise Unusable("unsupported_role", f"role {role!r}")
    if name not in ROLES:
        raise Unusable("unknown_role", f"role {role!r}")
    if turn.get("weight") == 0 or turn.get("tool_calls"):
        raise Unusable("unsupported_content", "a message with weight 0" if turn.get("weight") == 0 else "a tool call")
    return Message(ROLES[name], _message_text(turn.get("content", turn.get("value"))))


def _message_text(content: Any) -> str:
    """A string, or OpenAI's list of parts when all of them are text."""
    if isinstance(content, str):
        return content
    if content is None:
        raise Unusable("missing_field", "a message without content")
    if not isinstance(content, list):
        raise Unusable("unsupported_content", f"content is a {type(content).__name__}")
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    if len(texts) < len(content) or not all(isinstance(text, str) for text in texts):
        raise Unusable("unsupported_content", "a part that is not text")
    return "".join(str(text) for text in texts)


def check_turns(messages: Sequence[Message]) -> None:
    """Raises Unusable: a message is empty or broken, or user and assistant do not alternate up to an answer."""
    for number, message in enumerate(messages, start=1):
        reason = "empty_answer" if message.role == "assistant" else "empty_prompt"
        check_text(message.content, reason, f"message {number} of {len(messages)} ({message.role})")
    roles = [message.role for message in messages]
    spoken = roles[1:] if roles[0] == "system" else roles
    if not spoken or spoken != ["user", "assistant"] * (len(spoken) // 2):
        raise Unusable("role_order", " ".join(roles[:12]))


def check_text(text: str, empty: str, where: str) -> None:
    """Raises Unusable, with the reason `empty` for a blank text."""
    if not text.strip():
        raise Unusable(empty, where)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Unusable("broken_character", f"character {error.start + 1} of {where}") from error
