"""What kind of answers a task has. Evaluation, prompts and the split depend on it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from burnish.core.records import Chat, Pair, Row

MOST_LABELS = 200
MOST_LABEL_WORDS = 6
MOST_NUMBER_LABELS = 20  # ratings and grades are labels; results of sums are not
NEARLY_ALL = 0.95
NUMBER = re.compile(r"[-+]?\$?\d[\d,]*(\.\d+)?%?")
FINAL_NUMBER = re.compile(r"####\s*" + NUMBER.pattern + r"\s*$")


@dataclass(frozen=True)
class AnswerShape:
    """`labels` are sorted and only of a label task; `json_keys` stand in nearly all answers of a JSON task."""

    kind: Literal["label", "json", "number", "text", "preference"]
    labels: tuple[str, ...] = ()
    json_keys: tuple[str, ...] = ()


def answer_shape(rows: Sequence[Row]) -> AnswerShape:
    """Looks at all answers. JSON and number need nearly all (95 %) to be such; plain text rows have the shape text."""
    if rows and all(isinstance(row, Pair) for row in rows):
        return AnswerShape("preference")
    answers = [row.answer.strip() for row in rows if isinstance(row, Chat)]
    if not answers or len(answers) < len(rows):
        return AnswerShape("text")
    objects = [value for value in map(_json_object, answers) if value is not None]
    if len(objects) >= NEARLY_ALL * len(answers):
        seen = Counter(key for value in objects for key in value)
        return AnswerShape("json", json_keys=tuple(key for key in seen if seen[key] >= NEARLY_ALL * len(objects)))
    numbers = sum(bool(NUMBER.fullmatch(answer) or FINAL_NUMBER.search(answer)) for answer in answers)
    if numbers >= NEARLY_ALL * len(answers) and len(set(answers)) > MOST_NUMBER_LABELS:
        return AnswerShape("number")
    if are_labels(answers):
        return AnswerShape("label", labels=tuple(sorted(set(answers))))
    return AnswerShape("number" if numbers >= NEARLY_ALL * len(answers) else "text")


def are_labels(answers: Iterable[str]) -> bool:
    """Few distinct, short, repeated answers.

    Repeated: at most a third of the rows hold an answer that occurs once. That share estimates how often the next row
    would bring an unseen answer (Good 1953, Biometrika 40, "The population frequencies of species"), so the rule holds
    for a small sample of many labels too.
    """
    counts = Counter(answer.strip() for answer in answers)
    once = sum(count == 1 for count in counts.values())
    short = all(answer and "\n" not in answer and len(answer.split()) <= MOST_LABEL_WORDS for answer in counts)
    return 0 < len(counts) <= MOST_LABELS and short and once * 3 <= counts.total()


def _json_object(answer: str) -> dict[str, Any] | None:
    if not answer.startswith("{"):
        return None
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
