"""Answers to choose from, and which of them is right, however the file says so."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

from burnish.data.layout.fields import as_text, parsed
from burnish.data.layout.reasons import Unusable


def options(found: Any) -> tuple[list[str], list[str]]:
    """The texts to choose from and the mark of each: of a list A, B, C, …; else as the file marks them, in
    {"text": […], "label": […]} or {"A": …, "B": …}.

    Raises Unusable: they stand in another form.
    """
    found = parsed(found)
    if isinstance(found, dict) and isinstance(found.get("text"), list) and isinstance(found.get("label"), list):
        texts, marks = found["text"], found["label"]
    elif isinstance(found, dict):
        given = {mark: text for mark, text in found.items() if text is not None}
        texts, marks = list(given.values()), list(given)
    else:
        texts, marks = found, list(ascii_uppercase)
    if not isinstance(texts, list) or not 1 < len(texts) <= len(ascii_uppercase):
        raise Unusable("unknown_choice", "there are no answers to choose from")
    return [as_text(text, "a choice") for text in texts], [str(mark) for mark in marks[: len(texts)]]


def place_of(right: Any, texts: Sequence[str], marks: Sequence[str]) -> int:
    """The place of the right answer: said by its text, its mark, or its place from 0.

    Raises Unusable: it is none of them.
    """
    said = as_text(right, "the right answer").strip()
    for names in (texts, marks) if isinstance(right, str) else (marks,):
        if list(names).count(said) == 1:
            return list(names).index(said)
    if said.isdecimal() and int(said) < len(texts):
        return int(said)
    raise Unusable("unknown_choice", f"{said[:40]!r} of {len(texts)} choices")


def chosen_text(found: Any, right: Any) -> str:
    """The text of the right answer."""
    texts, marks = options(found)
    return texts[place_of(right, texts, marks)]
