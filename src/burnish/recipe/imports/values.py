"""Values as other tools write them → plain Python. Each raises ValueError with what was expected."""

from __future__ import annotations

import math
from typing import Any

WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
NOTHING = ("", "none", "null", "no", "off", "false", "disabled", "0")


def number(value: Any) -> float:
    """A finite number, also one in quotes: YAML 1.1 takes 2e-4 for a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a number is expected")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise ValueError("a number is expected") from None
    if not math.isfinite(found):
        raise ValueError("a finite number is expected")
    return value if isinstance(value, int) else found


def whole(value: Any) -> int:
    """A whole number."""
    found = number(value)
    if found != int(found):
        raise ValueError("a whole number is expected")
    return int(found)


def flag(value: Any) -> bool:
    """A truth value, in any of YAML's and argparse's spellings."""
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() not in WORDS:
        raise ValueError("true or false is expected")
    return WORDS[str(value).strip().lower()]


def word(value: Any) -> str:
    """One text."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is expected")
    return value.strip()


def words(value: Any) -> list[str]:
    """A list of texts, or one text with commas."""
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list) or not found:
        raise ValueError("a list of names is expected")
    return [word(one) for one in found]


def is_blank(value: Any) -> bool:
    """Whether a key stands there without a value."""
    return value is None or value in ("", [], {})


def is_off(value: Any) -> bool:
    """Whether a value says that something is not wanted."""
    if isinstance(value, str):
        return value.strip().lower() in NOTHING
    return not value
