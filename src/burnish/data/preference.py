"""A raw row with two answers → their common prompt and both texts.

Read are: a prompt with two answers, as texts or lists of messages; two whole conversations that differ in the last
answer, as lists of messages or as text with "Human:" and "Assistant:" before the turns; and OpenAI's `input` with
`preferred_output` and `non_preferred_output`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from burnish.core.records import Message
from burnish.data.fields import check_turns, field, scalar_text, system_message, turns_of
from burnish.data.reasons import Unusable
from burnish.data.recognise import Format

SPEAKER = re.compile(r"\n\n(Human|Assistant): ?")


@dataclass(frozen=True)
class Preference:
    """A prompt and the texts of two answers to it."""

    prompt: tuple[Message, ...]
    chosen: str
    rejected: str


def read_preference(value: Mapping[str, Any], layout: Format) -> Preference:
    """Raises Unusable: an answer is absent, both are equal, or they do not answer the same prompt."""
    before = _prompt(value, layout.prompt) if layout.prompt else []
    chosen = _conversation(value, layout.completion, before)
    rejected = _conversation(value, layout.rejected, before)
    if chosen[:-1] != rejected[:-1]:
        raise Unusable("no_shared_prompt", "the conversations differ before the last answer")
    if chosen[-1].content.strip() == rejected[-1].content.strip():
        raise Unusable("equal_answers")
    return Preference(tuple(chosen[:-1]), chosen[-1].content, rejected[-1].content)


def _prompt(value: Mapping[str, Any], key: str) -> list[Message]:
    """The turns before the answer: of a text one of the user, unless the text holds a dialogue."""
    found = field(value, key)
    if isinstance(found, dict):  # OpenAI's input: {"messages": …, "tools": …}
        if found.get("tools"):
            raise Unusable("unsupported_content", "tools")
        return turns_of(found, "messages")
    if isinstance(found, list):
        return turns_of(value, key)
    system = system_message(value.get("system"))
    prompt = scalar_text(value, key)
    turns = _dialogue(prompt) or [Message("user", prompt)]
    if turns[-1].role == "assistant" and not turns[-1].content.strip():
        turns.pop()  # "…\n\nAssistant:" asks for the answer
    return [*system, *turns]


def _conversation(value: Mapping[str, Any], key: str, before: list[Message]) -> list[Message]:
    """All turns up to one of the two answers. Raises Unusable: they are not sound, or end on no answer."""
    if isinstance(field(value, key), list):
        answer = turns_of(value, key)
        # a list that opens with the answer continues the prompt; any other is the whole conversation
        opens = answer[0].role if answer else ""
        turns = [*before, *answer] if opens == "assistant" else [*_missing_system(value, before, answer), *answer]
    elif before:
        turns = [*before, Message("assistant", scalar_text(value, key))]
    else:
        spoken = _dialogue(scalar_text(value, key))
        turns = [*system_message(value.get("system")), *spoken]
        if not spoken:
            raise Unusable("no_shared_prompt", "there is no prompt, and the text is no dialogue of Human and Assistant")
    if not turns or turns[-1].role != "assistant":
        raise Unusable("no_answer", f"{key!r} does not end with a message of the assistant")
    check_turns(turns)
    return turns


def _missing_system(value: Mapping[str, Any], before: list[Message], turns: list[Message]) -> list[Message]:
    """The system message that stands beside a whole conversation, where that has none itself."""
    if turns and turns[0].role == "system":
        return []
    return [message for message in before if message.role == "system"] or system_message(value.get("system"))


def _dialogue(text: str) -> list[Message]:
    """The turns of "\\n\\nHuman: …\\n\\nAssistant: …"; none where the text does not begin so."""
    begin, *parts = SPEAKER.split("\n\n" + text.lstrip("\n"))
    if begin or not parts or parts[0] != "Human":
        return []
    spoken = zip(parts[::2], parts[1::2], strict=True)
    return [Message("user" if speaker == "Human" else "assistant", content) for speaker, content in spoken]
