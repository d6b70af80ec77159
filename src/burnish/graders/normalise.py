"""What two answers may differ in and still be the same answer: case, spaces, quotes, the final full stop."""

from __future__ import annotations

import re
import unicodedata

_QUOTES = "\"'`*_“”‘’«»„"
_DENIED = re.compile(r"\b(?:not|never|isn't|isn’t|rather than|instead of)\s+(?:the\s+|exactly\s+)?$", re.IGNORECASE)
_FINAL = ".,;:!?…。"


def squash(text: str) -> str:
    """Unicode in one form (NFKC) and every run of white space as one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def bare(text: str) -> str:
    """`squash`, without case, surrounding quotes or emphasis, and without final punctuation.

    A text of nothing but such signs is kept: "?" may be a label.
    """
    whole = squash(text).casefold()
    return whole.strip(_QUOTES + " ").rstrip(_FINAL + _QUOTES + " ") or whole


def first_line(text: str) -> str:
    """The first line that holds anything."""
    return next((line for line in text.splitlines() if line.strip()), "")


def words(text: str) -> list[str]:
    """The words of a text, split at white space, each without case and punctuation around it."""
    return [word for word in (bare(part) for part in text.split()) if any(sign.isalnum() for sign in word)]


def denied(before: str) -> bool:
    """Whether what follows this text is denied by it: "The answer is not …"."""
    return bool(_DENIED.search(before[-40:]))
