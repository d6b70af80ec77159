"""A raw row → messages, a text or a preference, or `Unusable` with the reason. Contents are never trimmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from burnish.core.records import Message
from burnish.data.fields import (
    check_text,
    check_turns,
    optional_text,
    scalar_text,
    system_message,
    text_or_turns,
    turns_of,
)
from burnish.data.preference import Preference, read_preference
from burnish.data.reasons import Unusable
from burnish.data.recognise import PLACEHOLDER, Format

Content: TypeAlias = tuple[Message, ...] | str | Preference


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
            text = scalar_text(value, layout.text)
            check_text(text, "empty_text", "text")
            return Converted(text)
        case "messages" | "sharegpt":
            return _dialogue(turns_of(value, layout.turns, system=value.get("system")))
        case "alpaca":
            parts = (scalar_text(value, layout.prompt), optional_text(value, layout.context))
            return _dialogue(_pair(value, "\n\n".join(part for part in parts if part.strip()), layout))
        case "prompt_completion" | "columns":
            prompt = _filled(layout.template, value) if layout.template else text_or_turns(value, layout.prompt)
            return _dialogue(_pair(value, prompt, layout))
        case "preference":
            return Converted(read_preference(value, layout))


def _filled(template: str, value: Mapping[str, Any]) -> str:
    """The template with each {column} replaced: a lookup, never str.format, which would reach into attributes."""
    braces = {"{{": "{", "}}": "}"}
    return PLACEHOLDER.sub(lambda match: braces.get(match[0]) or scalar_text(value, match[1]), template)


def _pair(value: Mapping[str, Any], prompt: str | list[Message], layout: Format) -> list[Message]:
    """[system], prompt, answer. The completion may be a list of one message, as the prompt may be one of several."""
    before = prompt if isinstance(prompt, list) else [*system_message(value.get("system")), Message("user", prompt)]
    completion = text_or_turns(value, layout.completion)
    answer = completion if isinstance(completion, list) else [Message("assistant", completion)]
    return [*before, *answer]


def _dialogue(messages: Sequence[Message]) -> Converted:
    """The messages up to the last answer, if they are sound."""
    answers = [index for index, message in enumerate(messages) if message.role == "assistant"]
    if not answers:
        raise Unusable("no_answer", f"{len(messages)} messages, none of the assistant")
    kept = tuple(messages[: answers[-1] + 1])
    check_turns(kept)
    return Converted(kept, cut_turns=len(messages) - len(kept))
