"""The kinds of answer that can be graded, without importing any grader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Shape: TypeAlias = Literal["label", "json", "number", "text", "constraints"]

# The score that the verdict is about; the other scores of a grader stand beside it.
PRIMARY: Mapping[Shape, str] = {
    "label": "correct",
    "json": "field_f1",
    "number": "correct",
    "text": "chrf",
    "constraints": "followed",
}
