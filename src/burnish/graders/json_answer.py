"""Extraction: the answer is one JSON object.

`field_f1` counts key=value pairs, those of nested objects and lists too. A pair counts as found when key and value are
equal after light normalisation: case, spaces and final punctuation of strings, 5 and 5.0. An expected string of more
than three words is free text, where equality would measure wording: it gives partial credit,
the F1 of its words (as for SQuAD, Rajpurkar et al. 2016).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, NoReturn

from burnish.graders.normalise import bare, denied, words

LONGEST_PLAIN_STRING = 3  # words; a longer one is graded as free text
MOST_BRACES = 1_000  # braces tried as an object's start: an answer with more is not an answer


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def first_value(text: str, opening: str = "{[") -> Any:
    """The first JSON value in a text that begins with one of these brackets; None where there is none.

    After a failure the search goes on behind the place of the failure, so that a part of a broken value is never taken
    for the answer. A value that the text denies ("not {…} but {…}") is passed over.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse)
    opens = re.compile(f"[{re.escape(opening)}]")
    start = opens.search(text)
    for _ in range(MOST_BRACES):
        if start is None:
            break
        try:
            value, end = decoder.raw_decode(text, start.start())
        except json.JSONDecodeError as error:
            start = opens.search(text, max(error.pos, start.end()))
            continue
        except (ValueError, RecursionError):  # NaN, a number of thousands of digits, thousands of brackets
            return None
        if not denied(text[max(0, start.start() - 40) : start.start()]):
            return value
        start = opens.search(text, end)
    return None


def first_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text; None where there is none."""
    value = first_value(text, "{")
    return value if isinstance(value, dict) else None


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


def _size(value: Any) -> int:
    """How many key=value pairs a JSON value holds; an empty object or list under a key is one."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return sum(map(_size, inner)) or 1


def _shared(found: Any, wanted: Any) -> float:
    """How many pairs two values share. Elements of lists are paired in any order, each with the one most like it."""
    if isinstance(found, dict) and isinstance(wanted, dict) and (found or wanted):
        return sum(_shared(found[key], wanted[key]) for key in wanted if key in found)
    if isinstance(found, list) and isinstance(wanted, list) and (found or wanted):
        left, total = list(found), 0.0
        for inner in wanted:
            best, place = max(((_shared(other, inner), -place) for place, other in enumerate(left)), default=(0.0, 0))
            if best > 0:
                total += best
                left.pop(-place)
        return total
    return _similarity(found, wanted)


def field_f1(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    """2·found pairs / (pairs of the output + pairs expected). Each pair of the output serves once."""
    total = sum(_size(value) if value else 0 for value in (found, wanted))
    return 2 * _shared(found, wanted) / total if total else 1.0


def _same(found: Any, wanted: Any) -> bool:
    """Equal but for case, spaces, final punctuation and the order of keys and lists."""
    return _ordered(found) == _ordered(wanted)


def _ordered(value: Any) -> str:
    if isinstance(value, dict) and value:
        return repr(sorted((key, _ordered(inner)) for key, inner in value.items()))
    if isinstance(value, list) and value:
        return repr(sorted(map(_ordered, value)))
    return repr(_comparable(value))


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
    try:
        return {"valid": 1.0, "exact": float(_same(found, wanted)), "field_f1": field_f1(found, wanted)}
    except RecursionError:  # hundreds of brackets within each other
        return {"valid": 0.0, "exact": 0.0, "field_f1": 0.0}
