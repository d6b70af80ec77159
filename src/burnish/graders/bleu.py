"""BLEU (Papineni et al. 2002): how many word sequences of the answer the expected one has, with sacrebleu."""

from __future__ import annotations

from functools import cache

from sacrebleu.metrics import BLEU, BLEUScore

from burnish.graders.normalise import squash


@cache
def _metric(tokenize: str) -> BLEU:
    # Sentences often share no four words: orders longer than the answer do not count, the others are smoothed.
    return BLEU(tokenize=tokenize, effective_order=True)


def sentence_bleu(output: str, expected: str, tokenize: str = "13a") -> BLEUScore:
    """sacrebleu's score of one answer, with its counts. Raises ValueError: no such `tokenize`."""
    score: BLEUScore = _metric(tokenize).sentence_score(output, [expected])
    return score


def grade_bleu(output: str, expected: str, tokenize: str = "13a") -> dict[str, float]:
    """`bleu` of the one answer in 0 … 1, smoothed (sacrebleu's sentence BLEU); `exact`: same but for spaces."""
    score = sentence_bleu(output, expected, tokenize).score / 100
    return {"bleu": min(float(score), 1.0), "exact": float(squash(output) == squash(expected))}
