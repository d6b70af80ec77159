"""Questions about a passage, as in SQuAD: the passage, then the question; of several right answers the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.data.layout.columns import ANSWERS, CHOICES, PASSAGES, QUESTIONS, Columns
from burnish.data.layout.fields import find, parsed
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.prompt_answer import read as read_columns
from burnish.data.layout.reasons import Unusable

# The key of the text in an answer that is an object, and the key by which such an object is known.
MARKED = (("text", "answer_start"), ("value", "aliases"), ("text", "text"))


def seen(columns: Columns) -> Format | None:
    """A question with a passage, or with a list of answers."""
    question, passage = columns.first(QUESTIONS), columns.first(PASSAGES)
    answer = columns.first(("answers", *ANSWERS))
    if not question or not answer or columns.first(CHOICES):
        return None
    path = next((path for value in columns.values(answer) if (path := _first_answer(value, answer))), "")
    if not path or not (passage or path != answer):
        return None
    return Format("question_answer", prompt=question, context=passage, completion=path)


def _first_answer(found: Any, path: str) -> str:
    """The path that leads from an answer, a list of answers or SQuAD's {"text": […]} to the first text."""
    if isinstance(found, list) and path != "answer":  # one answer that is a list is an answer in JSON
        return _first_answer(found[0], f"{path}.0") if found else ""
    if isinstance(found, dict):
        inside = next((key for key, mark in MARKED if key in found and mark in found), "")
        return _first_answer(found[inside], f"{path}.{inside}") if inside else ""
    return path


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: the question has no answer, or a column is absent or empty."""
    key = layout.completion.partition(".")[0]
    if key != layout.completion:
        value = {**value, key: parsed(value.get(key))}
        if value[key] is not None and find(value, layout.completion) is None:
            raise Unusable("empty_answer", f"{key!r} lists no answer to the question")
    return read_columns(value, layout)
