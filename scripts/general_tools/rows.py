"""Rows of the general set: conversations and passages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

FOLDER = Path(__file__).parent
Line: TypeAlias = dict[str, Any]


def fields(table: str) -> list[tuple[str, str]]:
    """A line an entry, its two fields between bars."""
    split = (line.split(" | ", 1) for line in table.strip().splitlines())
    return [(first.strip(), second.strip()) for first, second in split]


def table(name: str) -> list[tuple[str, str]]:
    """The entries of a table of this folder."""
    return fields((FOLDER / f"{name}.txt").read_text("utf-8"))


def turns(kind: str, said: Sequence[tuple[str, str]]) -> Line:
    """A conversation of questions and answers, of which the last answer is learnt."""
    roles = ("user", "assistant")
    messages = [{"role": role, "content": text} for pair in said for role, text in zip(roles, pair, strict=True)]
    return {"kind": kind, "messages": messages}


def chat(kind: str, question: str, answer: str) -> Line:
    """One question and its answer."""
    return turns(kind, [(question, answer)])


def passage(kind: str, text: str) -> Line:
    """Plain text."""
    return {"kind": kind, "text": text}
