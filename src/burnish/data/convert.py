"""A raw row → messages or text, or `Unusable` with the reason. Contents stay as they are: nothing is trimmed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from burnish.core.records import Message, Role
from burnish.data.reasons import Unusable
from burnish.data.recognise import PLACEHOLDER, Format

Content: TypeAlias = tuple[Message, ...] | str

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


@dataclass(frozen=True)
class Converted:
    """`cut_turns` counts the messages after the last answer: nobody answered them, so there is nothing to learn."""

    content: Content
    cut_turns: int = 0


def convert(value: Mapping[str, Any], layout: Format) -> Converted:
    """The content of one row.

    Raises Unusable: the row does not hold what its format needs.
    """
    match layout.name:
        case "text":
            text = _scalar_text(value, layout.text)
            _check_text(text, "empty_text", "text")
            return Converted(text)
        case "messages" | "sharegpt":
            return _dialogue(_turns(value, layout.turns, system=value.get("system")))
        case "alpaca":
            parts = (_scalar_text(value, layout.prompt), _optional_text(value, layout.context))
            return _dialogue(_pair(value, "\n\n".join(part for part in parts if part.strip()), layout))
        case "prompt_completion" | "columns":
            prompt = _filled(layout.template, value) if layout.template else _prompt(value, layout.prompt)
            return _dialogue(_pair(value, prompt, layout))


def _field(value: Mapping[str, Any], key: str) -> Any:
    if value.get(key) is None:
        raise Unusable("missing_field", f"{key!r} is absent or null")
    return value[key]


def _scalar_text(value: Mapping[str, Any], key: str) -> str:
    """A string as it is; a number or truth value as JSON writes it; an object or list as JSON."""
    found = _field(value, key)
    if isinstance(found, str):
        return found
    if isinstance(found, float) and not math.isfinite(found):
        raise Unusable("missing_field", f"{key!r} is {found}")
    return json.dumps(found, ensure_ascii=False, default=str)


def _optional_text(value: Mapping[str, Any], key: str) -> str:
    return _scalar_text(value, key) if value.get(key) is not None else ""


def _filled(template: str, value: Mapping[str, Any]) -> str:
    """The template with each {column} replaced: a lookup, never str.format, which would reach into attributes."""
    braces = {"{{": "{", "}}": "}"}
    return PLACEHOLDER.sub(lambda match: braces.get(match[0]) or _scalar_text(value, match[1]), template)


def _prompt(value: Mapping[str, Any], key: str) -> str | list[Message]:
    """A prompt is a text, or a list of messages."""
    found = _field(value, key)
    if isinstance(found, list) and found and isinstance(found[0], dict) and "role" in found[0]:
        return _turns(value, key)
    return _scalar_text(value, key)


def _pair(value: Mapping[str, Any], prompt: str | list[Message], layout: Format) -> list[Message]:
    """[system], prompt, answer. The completion may be a list of one message, as the prompt may be one of several."""
    before = prompt if isinstance(prompt, list) else [*_system(value.get("system")), Message("user", prompt)]
    completion = _prompt(value, layout.completion)
    answer = completion if isinstance(completion, list) else [Message("assistant", completion)]
    return [*before, *answer]


def _system(text: Any) -> list[Message]:
    return [Message("system", text)] if isinstance(text, str) and text.strip() else []


def _turns(value: Mapping[str, Any], key: str, system: Any = None) -> list[Message]:
    """The messages of one key, in OpenAI's or ShareGPT's spelling; an empty system message is none."""
    found = _field(value, key)
    if not isinstance(found, list):
        raise Unusable("missing_field", f"{key!r} is a {type(found).__name__}, not a list of messages")
    messages = [_message(turn) for turn in found]
    if messages and messages[0].role == "system":
        return [*_system(messages[0].content), *messages[1:]]
    return [*_system(system), *messages]


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


def _dialogue(messages: Sequence[Message]) -> Converted:
    """The messages up to the last answer, if they are sound."""
    answers = [index for index, message in enumerate(messages) if message.role == "assistant"]
    if not answers:
        raise Unusable("no_answer", f"{len(messages)} messages, none of the assistant")
    kept = tuple(messages[: answers[-1] + 1])
    for number, message in enumerate(kept, start=1):
        reason = "empty_answer" if message.role == "assistant" else "empty_prompt"
        _check_text(message.content, reason, f"message {number} of {len(kept)} ({message.role})")
    roles = [message.role for message in kept]
    spoken = roles[1:] if roles[0] == "system" else roles
    if spoken != ["user", "assistant"] * (len(spoken) // 2):
        raise Unusable("role_order", " ".join(roles[:12]))
    return Converted(kept, cut_turns=len(messages) - len(kept))


def _check_text(text: str, empty: str, where: str) -> None:
    if not text.strip():
        raise Unusable(empty, where)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Unusable("broken_character", f"character {error.start + 1} of {where}") from error
