"""What is kept of each row for the decisions that need the whole set: a few numbers, so that a million rows fit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text
from burnish.data.cleaning.ending import ending_of
from burnish.data.cleaning.language import guess
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.group import normalised
from burnish.data.shape import MOST_LABEL_WORDS

KINDS: tuple[type, ...] = (Chat, Text, Pair, Rated, Prompt)
LONGEST_LABEL = 200  # characters
PROMPT_END = 200  # characters whose language is judged: the question stands there, not the frame around it
ANSWER_START = 200  # characters of the answer that are judged: more cost time and change no decision
FEATURES = np.dtype(
    [
        ("kind", "u1"),  # index into KINDS
        ("prompt", "u8"),  # hash of the normalised prompt
        ("answer", "u8"),  # hash of the answer, normalised where it is short
        ("short", "?"),  # the answer may be a label: one line of a few words
        ("prompt_chars", "u4"),
        ("answer_chars", "u4"),  # of a pair: of the chosen answer
        ("rejected_chars", "u4"),
        ("ending", "u1"),  # marks of `ending`
        ("prompt_language", "u1"),
        ("prompt_certainty", "f4"),
        ("answer_language", "u1"),
        ("answer_certainty", "f4"),
    ]
)
Feature: TypeAlias = tuple[int, int, int, bool, int, int, int, int, int, float, int, float]
Features: TypeAlias = NDArray[Any]  # of FEATURES, shape (rows,)


def feature_of(row: Row, prompt_key: str, settings: CleanSettings) -> Feature:
    """One row's entry. `prompt_key` is the last of `prompt_keys`, which names the prompt that the answer is for."""
    prompt, answer = prompt_side(row), answer_side(row)
    short = len(answer) <= LONGEST_LABEL and "\n" not in answer.strip() and len(answer.split()) <= MOST_LABEL_WORDS
    judged = settings.language != "off"
    prompt_language = guess(prompt[-PROMPT_END:]) if judged and prompt else (0, 0.0)
    answer_language = guess(answer[:ANSWER_START]) if judged and answer else (0, 0.0)
    return (
        KINDS.index(type(row)),
        int(prompt_key[:16], 16),
        _hash(normalised(answer) if short else answer),
        short,
        len(prompt),
        len(answer),
        len(row.rejected) if isinstance(row, Pair) else 0,
        ending_of(answer) if isinstance(row, Chat | Pair) and not _calls_tools(row) else 0,
        *prompt_language,
        *answer_language,
    )


def table(features: Iterable[Feature]) -> Features:
    """The entries of some rows as one array; arrays of several parts are joined by `numpy.concatenate`."""
    return np.array(list(features), dtype=FEATURES)


def prompt_side(row: Row) -> str:
    """What the user asked last; nothing of a text."""
    messages: tuple[Message, ...] = () if isinstance(row, Text) else row.prompt
    return next((message.content for message in reversed(messages) if message.role == "user"), "")


def answer_side(row: Row) -> str:
    """What is learnt: the last answer, of a pair the chosen one, or the text; nothing of a prompt alone."""
    match row:
        case Chat():
            return row.messages[-1].content
        case Pair():
            return row.chosen
        case Rated():
            return row.answer
        case Text():
            return row.text
        case _:
            return ""


def _calls_tools(row: Chat | Pair) -> bool:
    return isinstance(row, Chat) and bool(row.messages[-1].tool_calls)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
