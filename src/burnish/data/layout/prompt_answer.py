"""A prompt and an answer in a column each, under well-known names, named by the user, or filled into templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.core.records import Message, Tools
from burnish.data.layout.columns import COMPLETIONS, PROMPTS, Columns
from burnish.data.layout.conversation import chat
from burnish.data.layout.fields import as_text, field, named, optional_text
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.template import fill
from burnish.data.layout.tools import read_tools
from burnish.data.layout.turns import are_turns, read_turns, system_of
from burnish.data.shape import are_labels

CONTEXT_FIRST = ("question_answer", "choice")


def seen(columns: Columns) -> Format | None:
    """Two columns with well-known names."""
    prompt, completion = columns.first(PROMPTS), columns.first(COMPLETIONS)
    return Format("prompt_completion", prompt=prompt, completion=completion) if prompt and completion else None


def labels_seen(columns: Columns) -> Format | None:
    """Of two columns of strings the one with few, repeated values is the answer, unless both are such or none."""
    if len(columns.names) != 2 or not all(
        columns.all(name, lambda found: isinstance(found, str)) and len(columns.values(name)) == len(columns.rows)
        for name in columns.names
    ):
        return None
    labels = [name for name in columns.names if are_labels(columns.values(name))]
    if len(labels) != 1:
        return None
    return Format("prompt_completion", prompt=columns.names[1 - columns.names.index(labels[0])], completion=labels[0])


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: a column is absent or empty, or the turns it holds are not sound."""
    asked, tools = prompt_turns(value, layout)
    return chat([*asked, *answer_turns(value, layout)], tools)


def prompt_turns(value: Mapping[str, Any], layout: Format) -> tuple[list[Message], Tools]:
    """All messages before the answer: one of the user, or those of a list, which may name tools."""
    system = system_of(value)
    if layout.template:
        return [*system, Message("user", fill(layout.template, value, layout.labels))], ()
    found = field(value, layout.prompt)
    if are_turns(found):
        return read_turns(found, layout.prompt, system), read_tools(value)
    text = as_text(found, layout.prompt)
    if layout.context:
        parts = (text, optional_text(value, layout.context))
        ordered = reversed(parts) if layout.name in CONTEXT_FIRST else parts
        text = "\n\n".join(part for part in ordered if part.strip())
    return [*system, Message("user", text)], ()


def answer_turns(value: Mapping[str, Any], layout: Format) -> list[Message]:
    """The answer: a text, a message, or a list of messages."""
    if layout.completion_template:
        return [Message("assistant", fill(layout.completion_template, value, layout.labels))]
    found = field(value, layout.completion)
    if isinstance(found, dict) and are_turns([found]):
        found = [found]
    if are_turns(found):
        return read_turns(found, layout.completion)
    return [Message("assistant", as_text(named(found, layout.labels) if layout.labels else found, layout.completion))]
