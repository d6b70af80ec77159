"""Alpaca: an instruction, an optional input, the output, and perhaps a history of earlier turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.core.records import Message
from burnish.data.layout.columns import Columns
from burnish.data.layout.conversation import chat
from burnish.data.layout.fields import as_text, parsed
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.prompt_answer import answer_turns, prompt_turns
from burnish.data.layout.reasons import Unusable


def seen(columns: Columns) -> Format | None:
    """`instruction` and `output`, with the names that go with them."""
    instruction, output = columns.first(("instruction",)), columns.first(("output", "response"))
    if not instruction or not output:
        return None
    context, history = columns.first(("input", "context")), columns.first(("history",))
    return Format("alpaca", prompt=instruction, context=context, completion=output, history=history)


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: a column is absent or empty, or the history is not a list of pairs."""
    asked, tools = prompt_turns(value, layout)
    earlier = _history(value, layout.history) if layout.history else []
    return chat([*asked[:-1], *earlier, asked[-1], *answer_turns(value, layout)], tools)


def _history(value: Mapping[str, Any], key: str) -> list[Message]:
    """Earlier turns, as pairs of what was asked and what was answered; the answers are learnt too."""
    pairs = parsed(value.get(key) or [])
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise Unusable("missing_field", f"{key!r} is not a list of pairs")
    turns = [(Message("user", as_text(asked, key)), Message("assistant", as_text(said, key))) for asked, said in pairs]
    return [message for turn in turns for message in turn]
