"""Classification: the answer is one label.

Accuracy and macro-F1 are no property of one answer; `burnish.evals` computes them over items.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from burnish.graders.normalise import bare, denied, first_line

# "Label: x", "The correct category is x", "I think the answer is x": who says more than the label still names it.
_LEAD = re.compile(
    r"\s*(?:(?:i think|i would say|so|therefore|hence),?\s+)?(?:the\s+)?(?:\w{1,20}\s+){0,2}?"
    r"(?:label|category|class|classification|answer|intent|topic|sentiment|type|prediction|output|result)"
    r"(?:\s+is\b\s*:?|\s*[:=])\s*",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(r"not\s+[^,]{1,80}?,?\s+but\s+(?:rather\s+)?(.{1,80})", re.IGNORECASE)
_BUT_NOT = re.compile(r"(.{1,80}?),\s+(?:and\s+)?not\s+.{1,80}", re.IGNORECASE)
_BULLET = re.compile(r"\s*[-•]\s+")


_REFUSES = re.compile(r"\b(?:cannot|can't|can’t|unable|sorry|(?:do not|don't|don’t) know)\b")
_FOLLOWS = r"(?=\s*[).:;,—–]|\s+[-–—]\s|\s+because\b|$)"  # what may stand behind a label that begins an answer
LONGEST_SENTENCE = 8  # words
LONG_ENOUGH = 3  # letters; a shorter label may be an ordinary word of a sentence: "a", "no"


def predicted_label(output: str, labels: Iterable[str] = ()) -> str:
    """The label that an answer names, without case, quotes, brackets and final punctuation.

    That is its first line; an introduction such as "The label is" is left out, and of "not a but b" after one, a.
    Where the task's `labels` are known and this is none of them, it is the one label that the first line begins with,
    or as a short sentence ends on, unless it is denied or the answer refuses. An answer that lists several names none.
    """
    text = output.replace("**", "")
    bullet = _BULLET.match(text)
    text = text[bullet.end() :] if bullet else text
    lead = _LEAD.match(text)
    introduced = lead is not None and text[lead.end() :].strip() != ""
    rest = text[lead.end() :] if lead is not None and introduced else text
    line = bare(first_line(rest))
    corrected = (_NOT_BUT.fullmatch(line) or _BUT_NOT.fullmatch(line)) if introduced else None
    named = _unbracketed(bare(corrected[1]) if corrected else line)
    known = {_unbracketed(bare(label)) for label in labels}
    if not known:
        return named
    others = known.intersection(map(bare, rest.splitlines())) - {named}
    if named in known:
        return "" if others else named
    return _named_in(line, known) or named


def _named_in(line: str, known: Collection[str]) -> str:
    """The label that a line begins with, or the only one that a short sentence ends on; empty where there is none.

    A sentence ends on a label also when one word follows ("a billing question"). Longer ones are no answer but talk,
    in which labels occur as ordinary words.
    """
    if _REFUSES.search(line):
        return ""
    spelt = [label for label in known if label.replace("_", " ") == line]
    if len(spelt) == 1:
        return spelt[0]
    left, found, ends = line, set[str](), set[str]()
    for label in sorted(known, key=len, reverse=True):
        pattern = re.compile(rf"(?<!\w){re.escape(label)}(?![\w+#])")
        places = list(pattern.finditer(left))
        if places and (len(label) >= LONG_ENOUGH or _begins(label, left)):
            found.add(label)
            if len(left[places[-1].end() :].split()) <= 1 and not denied(left[: places[-1].start()]):
                ends.add(label)
            left = pattern.sub(lambda match: "\0" * len(match[0]), left)  # "not urgent" does not name "urgent" too
    first = [label for label in found if _begins(label, line)]
    if len(first) == 1 and (len(found) == 1 or _begins(first[0], line, r"\s+because\b")):
        return first[0]
    return next(iter(ends)) if len(found) == len(ends) == 1 and len(line.split()) <= LONGEST_SENTENCE else ""


def _begins(label: str, line: str, follows: str = _FOLLOWS) -> bool:
    start = rf"(?:(?:option|choice|\d+\.)\s+)?[(\[]?{re.escape(label)}(?:{follows})"
    return re.match(start, line) is not None


def _unbracketed(label: str) -> str:
    return bare(label.strip("()[] ")) or label


def grade_label(output: str, expected: str, labels: Iterable[str] = ()) -> dict[str, float]:
    """`correct`: 1.0 when both name the same label, else 0.0. An empty answer is never correct."""
    predicted = predicted_label(output, labels)
    return {"correct": float(predicted != "" and predicted == predicted_label(expected, labels))}
