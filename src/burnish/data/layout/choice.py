"""Multiple choice: the choices are listed with letters, and the answer is a letter."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from burnish.core.records import Message
from burnish.data.layout.columns import CHOICES, PASSAGES, Columns
from burnish.data.layout.conversation import chat
from burnish.data.layout.fields import field
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.options import options, place_of
from burnish.data.layout.prompt_answer import prompt_turns
from burnish.data.layout.reasons import Unusable

ASKED = ("question", "query", "ctx", "question_stem", "stem", "prompt", "problem", "instruction", "input")
RIGHT = ("answerkey", "answer_key", "gold", "label", "answer", "answer_idx", "correct", "target")


def seen(columns: Columns) -> Format | None:
    """A question, choices, and a column that tells the right one."""
    asked, choices, right = columns.first(ASKED), columns.first(CHOICES), columns.first(RIGHT)
    if not asked or not choices or not right:
        return None
    found = [_place(row, choices, right) for row in columns.rows]
    if not any(place is not None for place in found) or any(_beyond(row, choices, right) for row in columns.rows):
        return None
    return Format("choice", prompt=asked, context=columns.first(PASSAGES), choices=choices, completion=right)


def _place(row: Mapping[str, Any], choices: str, right: str) -> int | None:
    try:
        return place_of(field(row, right), *options(field(row, choices)))
    except Unusable:
        return None


def _beyond(row: Mapping[str, Any], choices: str, right: str) -> bool:
    """Whether a place stands one after the last: then places count from 1, and none of them can be trusted."""
    try:
        texts, marks = options(field(row, choices))
    except Unusable:
        return False
    return str(row.get(right)) == str(len(texts)) and str(len(texts)) not in (*marks, *texts)


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: a column is absent or empty, or the right answer is none of the choices."""
    texts, marks = options(field(value, layout.choices))
    letter = ascii_uppercase[place_of(field(value, layout.completion), texts, marks)]
    asked, tools = prompt_turns(value, layout)
    listed = "\n".join(f"{name}. {text}" for name, text in zip(ascii_uppercase, texts, strict=False))
    question = Message("user", f"{asked[-1].content}\n\n{listed}")
    return chat([*asked[:-1], question, Message("assistant", letter)], tools)
