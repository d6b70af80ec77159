"""What a model's reply says once its manners are taken off: thoughts, lead-ins, labels, lists, quotation marks.

Small models ramble whatever they are told. Nothing is taken off that the text they were given has too.
"""

from __future__ import annotations

import re

from burnish.core.asking import Answer
from burnish.data.grow.reasons import Rejected

MOST_CHARACTERS = 50_000  # of a reply; a server may ignore how many tokens it was asked for
_MANNERS = re.compile(r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok)\b[!,.]*\s+", re.IGNORECASE)
_LEAD_IN = re.compile(
    r"(?:here(?:'s| is| are)|this is|below is|the following|the answer)\b[^\n:]{0,120}:\s+", re.IGNORECASE
)
_LABEL = re.compile(
    r"[*_#\s]{0,6}(?:in other words|(?:(?:new|possible|alternative|rewritten|rephrased|reworded|paraphrased) )?"
    r"(?:rewrite|rephrase|paraphrase|rewritten|rephrased|reworded|paraphrased|wording|version|text|message|question|"
    r"prompt|answer|sentence|output))(?: \d{1,2})?[*_]{0,3} ?:[*_]{0,3}\s*",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?:\d{1,2}[.)]|[-*•])\s+")
_QUOTES = ('""', "“”", "„“", "«»", "''", "‘’", "``")


def plain_reply(answer: Answer, given: str) -> str:
    """The text alone. `given` is what the model was to say otherwise: of one line, one line is taken.

    Raises Rejected: nothing is left, the text was cut off, or the reply never came to its point.
    """
    text = _outside_fence(without_thoughts(answer.text), given)
    for manner in (_MANNERS, _LEAD_IN):
        text = _without(manner, text, given)
    one_line = "\n" not in given.strip()
    if not answer.whole and not (one_line and "\n" in text):
        raise Rejected("made_too_long", "cut off")
    if one_line:
        text = _without(_ITEM, text.strip().split("\n", 1)[0], given)
    text = _unquoted(_without(_LABEL, text, given), given)
    if not text:
        raise Rejected("made_empty")
    return text


def without_thoughts(reply: str) -> str:
    """The reply after what a reasoning model thinks aloud. Raises Rejected: it thought to the end, or said nothing."""
    if len(reply) > MOST_CHARACTERS:
        raise Rejected("made_too_long", f"{len(reply)} characters")
    text = reply.strip()
    if text.startswith("<think>"):
        thoughts, end, text = text.partition("</think>")
        if not end:
            raise Rejected("made_not_parseable", f"only thoughts: {thoughts[:60]}")
    if not text.strip():
        raise Rejected("made_empty")
    return text.strip()


def _outside_fence(text: str, given: str) -> str:
    if not text.startswith("```") or given.strip().startswith("```"):
        return text
    inside = text.partition("\n")[2]
    return inside.partition("\n```")[0].strip()


def _without(manner: re.Pattern[str], text: str, given: str) -> str:
    text = text.strip()
    found = manner.match(text)
    return text[found.end() :].strip() if found and not manner.match(given.strip()) else text


def _unquoted(text: str, given: str) -> str:
    for marks in _QUOTES:
        if len(text) > 1 and text[0] == marks[0] and text[-1] == marks[-1] and not given.strip().startswith(marks[0]):
            inner = text[1:-1]
            return inner.strip() if not any(mark in inner for mark in marks if mark != "'") else text
    return text
