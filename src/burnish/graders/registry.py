"""All graders by the metric that they serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from burnish.core.records import Chat
from burnish.graders.entities import grade_entities
from burnish.graders.exact import grade_exact
from burnish.graders.json_answer import grade_json
from burnish.graders.label import grade_label
from burnish.graders.number import grade_number
from burnish.graders.settings import (
    BLEUMetric,
    CodeMetric,
    FunctionMetric,
    JSONMetric,
    LabelMetric,
    NamedMetric,
    NumberMetric,
    RegexMetric,
)

# answer, the row with the expected one → scores by name
Grader: TypeAlias = Callable[[str, Chat], dict[str, float]]
Comparison: TypeAlias = Callable[[str, str], dict[str, float]]


def compare(metric: NamedMetric, keys: Sequence[str] = (), labels: Sequence[str] = ()) -> Comparison:
    """The function (answer, expected) → scores of a metric that needs no more than both texts.

    `keys` are those that a JSON answer should have where no schema is given, `labels` those of the task. Files are
    named from here or absolutely. Raises RecipeError: a schema or pattern is wrong.
    """
    # What takes long to import is imported by who uses it.
    match metric:
        case LabelMetric():
            return partial(grade_label, labels=labels)
        case NumberMetric():
            return partial(grade_number, tolerance=metric.tolerance)
        case JSONMetric(schema_file=None) if not keys:
            return grade_json
        case JSONMetric():
            from burnish.graders.json_schema import grade_structure, has_keys, read_schema

            meets = read_schema(Path(metric.schema_file)) if metric.schema_file else has_keys(keys)
            return partial(grade_structure, meets=meets)
        case BLEUMetric():
            from burnish.graders.bleu import grade_bleu

            return partial(grade_bleu, tokenize=metric.tokenize)
        case RegexMetric():
            from burnish.graders.pattern import compile_pattern, grade_pattern

            return partial(grade_pattern, pattern=compile_pattern(metric.pattern))
    if metric.type in ("text", "judge"):
        from burnish.graders.text import grade_text

        return grade_text
    if metric.type == "rouge":
        from burnish.graders.rouge import grade_rouge

        return grade_rouge
    return PLAIN.get(metric.type, _no_scores)


PLAIN: Mapping[str, Comparison] = {"exact": grade_exact, "entities": grade_entities}


def _no_scores(output: str, expected: str) -> dict[str, float]:
    """Of a metric that reads no answer: loss."""
    return {}


def make_grader(metric: NamedMetric, keys: Sequence[str] = (), labels: Sequence[str] = ()) -> Grader:
    """The function (answer, row) → scores of a metric. `loss` has none: nothing is answered.

    Raises RecipeError: a schema, pattern, file of tests or function is wrong.
    """
    match metric:
        case CodeMetric():
            from burnish.graders.code import find_tests, grade_code, read_tests

            tests = read_tests(Path(metric.tests_file))
            return lambda output, row: grade_code(output, find_tests(row, tests), metric)
        case FunctionMetric():
            from burnish.graders.function import grade_with, load_function

            return partial(grade_with, load_function(Path(metric.file), metric.name))
    grade = compare(metric, keys, labels)
    return lambda output, row: grade(output, row.answer)
