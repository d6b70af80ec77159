"""Has an answer the form that the task wants, right or wrong? By the shape of the metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from burnish.graders.json_answer import first_object, first_value
from burnish.graders.label import predicted_label
from burnish.graders.number import final_number


def validity(shape: str, labels: Sequence[str]) -> tuple[str, Callable[[str], bool]]:
    """What counts as valid in words, and the test of an answer."""
    if shape == "label" and labels:
        known = {predicted_label(label, labels) for label in labels}
        return "the answer names a label of the task", lambda output: predicted_label(output, labels) in known
    if shape == "number":
        return "the answer gives a number", lambda output: final_number(output) is not None
    if shape == "json":
        return "the answer holds a JSON object", lambda output: first_object(output) is not None
    if shape == "entities":
        return "the answer holds JSON", lambda output: first_value(output) is not None
    return "the answer is not empty", lambda output: bool(output.strip())
