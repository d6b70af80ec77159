"""Lists of messages as OpenAI's chat files and ShareGPT write them, with tools and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.core.records import Chat, Message, Tools
from burnish.data.layout.columns import TURNS, Columns
from burnish.data.layout.fields import field, parsed
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.tools import read_tools
from burnish.data.layout.turns import answered, are_turns, read_turns, system_of


def seen(columns: Columns) -> Format | None:
    """A column of messages, with role and content (OpenAI) or from and value (ShareGPT)."""
    turns = columns.first(TURNS)
    first = (
        next((found for value in columns.values(turns) if are_turns(found := parsed(value))), None) if turns else None
    )
    return first and Format("messages" if "role" in first[0] else "sharegpt", turns=turns)


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """The conversation up to its last answer. Raises Unusable: see `answered`."""
    return chat(read_turns(field(value, layout.turns), layout.turns, system_of(value)), read_tools(value))


def chat(messages: list[Message], tools: Tools = ()) -> Converted:
    """A row of the messages up to the last answer that is learnt. Raises Unusable: see `answered`."""
    kept = answered(messages)
    return Converted(Chat("", kept, tools=tools), cut_turns=len(messages) - len(kept))
