"""Arithmetic: the answer is one number, somewhere in the text.

Where the answer stands, in this order: after `#### ` on a line of its own, in `\\boxed{…}`, after "answer is", else the
last number. Thousands separators are commas (1,234.5); units, currency and percent signs are not part of the number.
"""

from __future__ import annotations

import re
from fractions import Fraction

from burnish.graders.normalise import bare

LONGEST_CLAUSE = 200  # characters

# Digits are bounded: Python refuses to parse very long numbers, and no answer needs them.
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,40})"
_SIGN = r"(?:(?<![\w)])[-−]\s?)?"
_CURRENCY = r"[$€£¥]?\s?"
_NUMBER = re.compile(
    rf"(?<![\w.]){_SIGN}{_CURRENCY}(?:(?P<whole>\d{{1,9}})\s+(?=\d{{1,9}}/\d))?"
    rf"(?P<top>{_DIGITS}(?:\.\d{{1,40}})?(?:[eE][-+]?\d{{1,2}}(?!\w))?|\.\d{{1,40}})(?:\s?/\s?(?P<bottom>\d{{1,40}}))?"
)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(-?\d{1,40})\s*\}\s*\{\s*(\d{1,40})\s*\}")
_HASHES = re.compile(r"####[^\S\n]*([^\n]{1,80})$", re.MULTILINE)
_BOXED = re.compile(r"\\boxed\s*\{")
_ANSWER_IS = re.compile(r"answer(?:\s{1,4}is|\s{0,4}[:=])\s{0,8}", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
_DENIED = re.compile(r"\b(?:not|never|isn't|isn’t|rather than|instead of)\s+(?:the\s+|exactly\s+)?$", re.IGNORECASE)


def _value(match: re.Match[str]) -> Fraction | None:
    """The number that was matched, exactly; None for a division by zero."""
    value = Fraction(match["top"].replace(",", ""))
    if match["bottom"] is not None:
        if int(match["bottom"]) == 0:
            return None
        value /= int(match["bottom"])
    if match["whole"] is not None:
        value += int(match["whole"])
    return -value if match[0].lstrip()[0] in "-−" else value


def _numbers(text: str) -> list[Fraction]:
    """All numbers of a text in order, without those that it denies ("not 12 but 13")."""
    plain = _FRACTION.sub(r" \1/\2 ", text)
    values = [_value(match) for match in _NUMBER.finditer(plain) if not _DENIED.search(plain[: match.start()][-40:])]
    return [value for value in values if value is not None]


def _after_hashes(text: str) -> Fraction | None:
    """The number of a line such as "#### 42 apples"; a heading such as "#### Step 1" is not an answer."""
    for line in _HASHES.finditer(text):
        number = _NUMBER.match(line[1].strip(" *"))
        if number and len(line[1].split()) <= 3:
            return _value(number)
    return None


def _in_clause(clause: str) -> Fraction | None:
    """The number of a sentence's rest: after the last "=" where there is one, else the first."""
    head = _SENTENCE_END.split(clause, maxsplit=1)[0]
    numbers = _numbers(head.rsplit("=", 1)[-1])
    return numbers[0] if numbers else None


def final_number(text: str) -> Fraction | None:
    """The number that a text gives as its answer, exactly; None where there is none."""
    value = _after_hashes(text)
    if value is not None:
        return value
    for pattern in (_BOXED, _ANSWER_IS):
        for match in reversed(list(pattern.finditer(text))):
            value = _in_clause(text[match.end() : match.end() + LONGEST_CLAUSE].partition("\n")[0])
            if value is not None:
                return value
    numbers = _numbers(text)
    return numbers[-1] if numbers else None


def grade_number(output: str, expected: str, tolerance: float = 0.0) -> dict[str, float]:
    """`correct`: 1.0 when both texts give the same number (1/2 equals 0.5; 0.33 is not 1/3), else 0.0.

    `tolerance`: how far off a right number may be, as a share of the expected one. Where the expected answer holds no
    number (a few rows of real data say "none"), equality of text decides.
    """
    wanted, found = final_number(expected), final_number(output)
    if wanted is None:
        return {"correct": float(bare(output) == bare(expected))}
    # The tolerance is read as it was written, 0.1 and not the nearest double.
    room = Fraction(str(tolerance)) * abs(wanted)
    return {"correct": float(found is not None and abs(found - wanted) <= room)}
