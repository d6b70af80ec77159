"""Free text: how much of the wording is shared."""

from __future__ import annotations

from sacrebleu import sentence_chrf

from burnish.graders.normalise import squash


def grade_text(output: str, expected: str) -> dict[str, float]:
    """`chrf`: character n-gram F-score in 0 … 1 (Popović 2015, sacrebleu's defaults); `exact`: same but for spaces."""
    return {
        "chrf": float(sentence_chrf(output, [expected]).score) / 100,
        "exact": float(squash(output) == squash(expected)),
    }
