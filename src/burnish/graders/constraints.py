"""Instructions whose following a program can check: the answer's form, not its content.

`expected` is a JSON list such as [{"check": "max_words", "n": 20}, {"check": "contains", "text": "rain"}]. The list of
checks is closed. Case does not matter unless a check is about case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from burnish.core.errors import DataError
from burnish.graders.json_answer import first_object
from burnish.graders.normalise import bare, squash

Check = Callable[[str, Mapping[str, Any]], bool]

_BULLET = re.compile(r"\s*(?:[-*•–—]|\d{1,3}[.)])\s*\S")
_ABBREVIATION = re.compile(r"(?:\b(?i:mr|mrs|ms|dr|st|prof|vs|etc|e\.g|i\.e|a\.m|p\.m)|\b[A-HJ-Z]|^\s*\d{1,3})\.$")
_BOUNDARY = re.compile(r"(?<=[.!?…])[\"'”’)*_]*\s+")


def _phrase(text: str, *, whole: bool) -> re.Pattern[str]:
    """A phrase from the start of a word; `whole` also asks for a word's end, so that "cold" does not find "colder"."""
    start = r"(?<!\w)" if text[:1].isalnum() else ""
    end = r"(?!\w)" if whole and text[-1:].isalnum() else ""
    return re.compile(start + r"\s+".join(re.escape(part) for part in text.split()) + end, re.IGNORECASE)


def contains(output: str, text: str) -> bool:
    """The phrase stands in the answer; an ending may follow ("grape" finds "grapes")."""
    return _phrase(text, whole=False).search(output) is not None


def occurrences(output: str, text: str) -> int:
    """How often the whole phrase stands in the answer."""
    return len(_phrase(text, whole=True).findall(output))


def starts_with(output: str, text: str) -> bool:
    """The answer begins with the phrase; quotes and emphasis before it do not matter."""
    return _phrase(text, whole=True).match(output.lstrip(" \n\t\"'“‘*_")) is not None


def ends_with(output: str, text: str) -> bool:
    """The answer ends with the phrase; quotes, and punctuation unless the phrase is punctuation, may follow."""
    if not any(sign.isalnum() for sign in text):
        return output.rstrip(" \n\t\"'”’*_").endswith(text)
    ending, whole = bare(text), bare(output)
    return whole.endswith(ending) and not whole[: -len(ending)][-1:].isalnum()


def count_sentences(output: str) -> int:
    """Sentences end at . ! ? … before white space, and at a line's end; "Mr.", "B." and "1." end none."""
    count = 0
    for line in output.splitlines():
        start = 0
        for boundary in _BOUNDARY.finditer(line):
            if not _ABBREVIATION.search(line[start : boundary.start()]):
                count += any(sign.isalnum() for sign in line[start : boundary.start()])
                start = boundary.end()
        count += any(sign.isalnum() for sign in line[start:])
    return count


def _json_object(output: str, keys: list[str]) -> bool:
    found = first_object(output)
    return found is not None and all(key in found for key in keys)


CHECKS: Mapping[str, Check] = {
    "contains": lambda output, check: contains(output, check["text"]),
    "contains_all": lambda output, check: all(contains(output, text) for text in check["texts"]),
    "excludes": lambda output, check: occurrences(output, check["text"]) == 0,
    "repeats": lambda output, check: occurrences(output, check["text"]) >= check["n"],
    "starts_with": lambda output, check: starts_with(output, check["text"]),
    "ends_with": lambda output, check: ends_with(output, check["text"]),
    "one_of": lambda output, check: bare(output) in {bare(option) for option in check["options"]},
    "max_words": lambda output, check: len(output.split()) <= check["n"],
    "min_words": lambda output, check: len(output.split()) >= check["n"],
    "sentences": lambda output, check: count_sentences(output) == check["n"],
    "bullets": lambda output, check: sum(map(bool, map(_BULLET.match, output.splitlines()))) == check["n"],
    "json_object": lambda output, check: _json_object(output, check["keys"]),
    "lowercase": lambda output, _: output.islower(),
    "uppercase": lambda output, _: output.isupper(),
    "no_commas": lambda output, _: "," not in output,
    "contains_digit": lambda output, _: any(sign.isdigit() for sign in output),
    "no_digits": lambda output, _: not any(sign.isdigit() for sign in output),
    "ends_with_question": lambda output, _: output.rstrip(" \n\t\"'”’)*_").endswith("?"),
}


def _holds(output: str, check: Mapping[str, Any]) -> bool:
    try:
        return CHECKS[check["check"]](output, check)
    except (KeyError, TypeError) as error:
        raise DataError(
            "A check of an instruction is not one of the known ones, or lacks its argument.",
            seen=str(check)[:120],
            next_move=f"known checks: {', '.join(sorted(CHECKS))}",
        ) from error


def grade_constraints(output: str, expected: str) -> dict[str, float]:
    """`followed`: 1.0 when every check holds. An empty answer follows nothing.

    Raises DataError: an unknown check, or one without its argument.
    """
    try:
        checks = json.loads(expected)
    except ValueError as error:
        raise DataError("The checks of an instruction are not JSON.", seen=expected[:80]) from error
    return {"followed": float(bool(squash(output)) and all(_holds(output, check) for check in checks))}
