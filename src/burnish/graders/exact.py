"""The answer is one text, to the letter."""

from __future__ import annotations

from burnish.graders.normalise import squash


def grade_exact(output: str, expected: str) -> dict[str, float]:
    """`exact`: 1.0 when the texts are equal but for white space, in one form of Unicode (NFKC), else 0.0."""
    return {"exact": float(squash(output) == squash(expected))}
