"""Arithmetic: the answer is one number, somewhere in the text.

Where the answer stands, in this order: after `#### ` on a line of its own, in `\\boxed{…}`, after "answer is", else the
last number. Numbers that the text denies ("not 12 but 13", "12 is wrong"), takes back ("12. Wait, 13"), puts aside
("13 (see step 2)", "13 of 20") or leaves open ("12 or 13") are not the answer. Thousands are separated by commas
(1,234.5) or narrow spaces; units, currency and percent signs are not part of the number.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from fractions import Fraction

from burnish.graders.normalise import bare, denied
from burnish.graders.number_words import VALUES, leading_word

LONGEST_CLAUSE = 200  # characters

# Digits are bounded: Python refuses to parse very long numbers, and no answer needs them.
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?:[\u00a0\u202f]\d{3})+(?!\d)|\d{1,3}(?: \d{3}){2,9}(?!\d)|\d{1,40})"
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
_SUM = re.compile(r"[\s\d.,+*/×·÷()$€£¥−-]{1,100}=(?:[\s\d.,+*/×·÷()$€£¥−-]{1,100}=)*")
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
_MINUS = re.compile(r"(^\s*|\bis\s+|[:=]\s*)(?:minus|negative)\s+(?=[$€£¥]?\d)", re.IGNORECASE)
_WRONG = re.compile(r"\s*(?:is|was|would be)\s+(?:wrong|incorrect|not\s+(?:right|correct|it))\b", re.IGNORECASE)
_WHOLE = re.compile(r"\d\s+(?:out\s+)?of\s+(?:(?:the|all|these|those)\s+)?$", re.IGNORECASE)
_TAKEN_BACK = re.compile(r"\b(?:wait|actually|correction|sorry)\b|\bno,", re.IGNORECASE)
_OR = re.compile(r"[^\d.]{0,12}\bor\s+(?:maybe\s+|perhaps\s+)?", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]{0,80}\)")


@dataclass(frozen=True)
class _Number:
    value: Fraction
    start: int
    end: int


def _value(match: re.Match[str]) -> Fraction | None:
    """The number that was matched, exactly; None for a division by zero."""
    value = Fraction(re.sub(r"[,\s]", "", match["top"]))
    if match["bottom"] is not None:
        if int(match["bottom"]) == 0:
            return None
        value /= int(match["bottom"])
    if match["whole"] is not None:
        value += int(match["whole"])
    return -value if match[0].lstrip()[0] in "-−" else value


def _numbers(text: str) -> list[_Number]:
    """All numbers of a plain text in order, without those that it denies, and without the whole of "13 of 20"."""
    found = []
    for match in _NUMBER.finditer(text):
        before, value = text[max(0, match.start() - 40) : match.start()], _value(match)
        if value is not None and not (denied(before) or _WHOLE.search(before) or _WRONG.match(text, match.end())):
            found.append(_Number(value, match.start(), match.end()))
    return found


def _decided(text: str, numbers: list[_Number], place: int) -> Fraction | None:
    """The number at this place, unless the text leaves it open: "12 or 13", "between 12 and 13"."""
    for first, second in itertools.pairwise(numbers[max(0, place - 1) :][: 3 if place else 2]):
        gap = text[first.end : second.start]
        between = gap.strip().lower() == "and" and text[: first.start].rstrip().lower().endswith("between")
        if first.value != second.value and (between or _OR.fullmatch(gap)):
            return None
    return numbers[place].value


def _after_hashes(text: str) -> Fraction | None:
    """The number of a line such as "#### 42 apples"; a heading such as "#### Step 1" is not an answer."""
    for line in _HASHES.finditer(text):
        number = _NUMBER.match(line[1].strip(" *"))
        if number and len(line[1].split()) <= 3:
            return _value(number)
    return None


def _in_clause(clause: str) -> Fraction | None:
    """The number of a sentence's rest: its first, or where it begins with a sum, the result of that."""
    head = _SENTENCE_END.split(clause, maxsplit=1)[0]
    head = head[match.end() :] if (match := _SUM.match(head)) else head
    numbers = _numbers(head)
    word = leading_word(head)
    if word is not None and (not numbers or re.match(r"\s*\d", head) is None):
        return Fraction(word)
    return _decided(head, numbers, 0) if numbers else None


def _stated(text: str) -> tuple[bool, Fraction | None]:
    """Whether a text says "the answer is" or the like with a number, and which."""
    for pattern in (_BOXED, _ANSWER_IS):
        for match in reversed(list(pattern.finditer(text))):
            clause = text[match.end() : match.end() + LONGEST_CLAUSE].lstrip().partition("\n")[0]
            if _NUMBER.search(clause) or leading_word(clause) is not None:
                after = text[match.end() :]
                back = _TAKEN_BACK.search(after)
                if back and _NUMBER.search(after, back.end()):
                    return True, final_number(after[back.end() :])
                return True, _in_clause(clause)
    return False, None


def final_number(text: str) -> Fraction | None:
    """The number that a text gives as its answer, exactly; None where there is none."""
    value = _after_hashes(text)
    if value is not None:
        return value
    plain = _MINUS.sub(r"\1-", _FRACTION.sub(r" \1/\2 ", text))
    says, value = _stated(plain)
    if says and value is not None:
        return value
    if bare(plain) in VALUES or bare(plain).replace(" ", "-") in VALUES:
        return Fraction(VALUES[bare(plain).replace(" ", "-")])
    lines = plain.strip().splitlines()
    if len(lines) > 1 and _NUMBER.fullmatch(lines[0].strip(" *.")) and not _NUMBER.fullmatch(lines[-1].strip(" *.")):
        return _in_clause(lines[0].strip(" *"))
    without = _ASIDE.sub(" ", plain)
    for body in (without, plain):
        numbers = _numbers(body)
        if numbers:
            return _decided(body, numbers, len(numbers) - 1)
    return None


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
