"""Extraction: the answer is one JSON object.

`field_f1` counts key=value pairs (nested objects by dotted keys, lists as several values of one key). A pair counts as
found when key and value are equal after light normalisation: case, spaces and final punctuation of strings, 5 and 5.0.
An expected string of more than three words is free text, where equality would measure wording: it gives partial credit,
the F1 of its words (as for SQuAD, Rajpurkar et al. 2016).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, NoReturn

from burnish.graders.normalise import bare, words

LONGEST_PLAIN_STRING = 3  # words; a longer one is graded as free text
MOST_BRACES = 1_000  # braces tried as an object's start: an answer with more is not an answer


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def first_value(text: str, opening: str = "{[") -> Any:
    """The first JSON value in a text that begins with one of these brackets; None where there is none.

    After a failure the search goes on behind the place of the failure, so that a part of a broken value is never taken
    for the answer.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse)
    opens = re.compile(f"[{re.escape(opening)}]")
    start = opens.search(text)
    for _ in range(MOST_BRACES):
        if start is None:
            break
        try:
            value, _ = decoder.raw_decode(text, start.start())
        except json.JSONDecodeError as error:
            start = opens.search(text, max(error.pos, start.end()))
            continue
        except (ValueError, RecursionError):  # NaN, a number of thousands of digits, thousands of brackets
            return None
        return value
    return None


def first_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text; None where there is none."""
    value = first_value(text, "{")
    return value if isinstance(value, dict) else None


def _pairs(value: Any, key: str = "") -> list[tuple[str, Any]]:
    """All key=value pairs of a JSON value, with dotted keys."""
    if isinstance(value, dict) and (value or not key):
        return [pair for name, inner in value.items() for pair in _pairs(inner, f"{key}.{name}" if key else name)]
    if isinstance(value, list) and value:
        return [pair for inner in value for pair in _pairs(inner, f"{key}[]")]
    return [(key, value)]


def _comparable(value: Any) -> tuple[str, Any]:
    """Equal for values that differ only lightly; a number never equals a string or a truth value."""
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, int | float):
        return ("number", int(value) if isinstance(value, float) and value.is_integer() else value)
    return ("text", bare(value)) if isinstance(value, str) else ("empty", json.dumps(value))


def word_f1(output: str, expected: str) -> float:
    """2·shared / (words of output + words of expected), counting a word as often as it stands in both."""
    found, wanted = Counter(words(output)), Counter(words(expected))
    total = found.total() + wanted.total()
    return 2 * (found & wanted).total() / total if total else 1.0


def _similarity(found: Any, wanted: Any) -> float:
    """1.0 for the same value, 0.0 for another; between them for free text."""
    if isinstance(found, str) and isinstance(wanted, str) and len(wanted.split()) > LONGEST_PLAIN_STRING:
        return word_f1(found, wanted)
    return float(_comparable(found) == _comparable(wanted))


def field_f1(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    """2·found pairs / (pairs of the output + pairs expected). Each pair of the output serves once, the best first."""
    left, expected_pairs = _pairs(found), _pairs(wanted)
    total = len(left) + len(expected_pairs)
    shared = 0.0
    for key, value in expected_pairs:
        rivals = [(_similarity(other, value), place) for place, (name, other) in enumerate(left) if name == key]
        best, place = max(rivals, default=(0.0, -1), key=lambda rival: rival[0])
        if best > 0:
            shared += best
            left.pop(place)
    return 2 * shared / total if total else 1.0


def _same(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    def ordered(value: dict[str, Any]) -> list[tuple[str, str]]:
        return sorted((key, repr(_comparable(inner))) for key, inner in _pairs(value))

    return ordered(found) == ordered(wanted)


def grade_json(output: str, expected: str) -> dict[str, float]:
    """`valid`: an object was found; `exact`: all pairs equal; `field_f1`: see above. All 0.0 without an object.

    Where the expected answer is itself no object (a few rows of real data say "none"), all three are equality of text.
    """
    wanted, found = first_object(expected), first_object(output)
    if wanted is None:
        same = float(bare(output) == bare(expected))
        return {"valid": same, "exact": same, "field_f1": same}
    if found is None:
        return {"valid": 0.0, "exact": 0.0, "field_f1": 0.0}
    return {"valid": 1.0, "exact": float(_same(found, wanted)), "field_f1": field_f1(found, wanted)}
