"""All graders by the shape of the answer they grade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from burnish.core.errors import RecipeError
from burnish.graders.constraints import grade_constraints
from burnish.graders.json_answer import grade_json
from burnish.graders.label import grade_label
from burnish.graders.number import grade_number
from burnish.graders.settings import PRIMARY, Shape
from burnish.graders.text import grade_text

Grader: TypeAlias = Callable[[str, str], dict[str, float]]

METRICS: Mapping[Shape, Grader] = {
    "label": grade_label,
    "json": grade_json,
    "number": grade_number,
    "text": grade_text,
    "constraints": grade_constraints,
}


def grader_for(shape: str) -> Grader:
    """The function (output, expected) → scores for a shape of answer.

    Raises RecipeError: there is no such shape.
    """
    for name, grader in METRICS.items():
        if name == shape:
            return grader
    raise RecipeError(
        "There is no such kind of answer.", seen=shape, next_move=f"one of {', '.join(METRICS)} in evaluate.metric"
    )


def primary_score(shape: str) -> str:
    """The score of that grader which the verdict is about. Raises RecipeError as `grader_for` does."""
    grader_for(shape)
    return next(score for name, score in PRIMARY.items() if name == shape)
