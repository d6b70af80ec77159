"""Classification: the answer is one label.

Accuracy and macro-F1 are no property of one answer; `burnish.evals` computes them over items.
"""

from __future__ import annotations

from burnish.graders.normalise import bare, first_line


def predicted_label(output: str) -> str:
    """The label that an answer names: its first line without case, quotes and final punctuation."""
    return bare(first_line(output))


def grade_label(output: str, expected: str) -> dict[str, float]:
    """`correct`: 1.0 when both name the same label, else 0.0. An empty answer is never correct."""
    predicted = predicted_label(output)
    return {"correct": float(predicted != "" and predicted == predicted_label(expected))}
