"""Texts: plain ones, and dialogues written down as one text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from burnish.core.records import Message, Text
from burnish.data.layout.columns import Columns
from burnish.data.layout.conversation import chat
from burnish.data.layout.fields import check_text, text_of
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.reasons import Unusable
from burnish.data.layout.turns import system_of

# "\n\nHuman: …\n\nAssistant: …" as in hh-rlhf, and "### Human: … ### Assistant: …" as in the guanaco files.
SPEAKERS = (re.compile(r"\n\n(Human|Assistant): ?"), re.compile(r"\s*### (Human|Assistant): ?"))


def seen(columns: Columns) -> Format | None:
    """A column `text`."""
    text = columns.first(("text",))
    return Format("text", text=text) if text else None


def dialogue_seen(columns: Columns) -> Format | None:
    """A text that is a dialogue of Human and Assistant in every row."""
    text = columns.first(("text", "dialogue", "chat", "chosen"))
    spoken = columns.all(text, lambda found: isinstance(found, str) and len(dialogue(found)) > 1)
    return Format("dialogue", text=text) if spoken else None


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: the text is absent or blank."""
    text = text_of(value, layout.text)
    check_text(text, "empty_text", "text")
    return Converted(Text("", text))


def read_dialogue(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: the text is absent or no dialogue, or its turns are not sound."""
    turns = dialogue(text_of(value, layout.text))
    if not turns:
        raise Unusable("no_answer", "the text is no dialogue of Human and Assistant")
    return chat([*system_of(value), *turns])


def dialogue(text: str) -> list[Message]:
    """The turns of a dialogue, with their text as it stands; none where the text does not begin as one."""
    for speaker in SPEAKERS:
        begin, *parts = speaker.split("\n\n" + text.lstrip("\n"))
        if not begin.strip() and parts and parts[0] == "Human":
            spoken = zip(parts[::2], parts[1::2], strict=True)
            return [Message("user" if name == "Human" else "assistant", content) for name, content in spoken]
    return []
