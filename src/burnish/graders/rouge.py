"""ROUGE (Lin 2004): words that a summary shares with the expected one.

Words are runs of letters and digits of any script, in lower case and without stemming. On English the scores are those
of the rouge-score package, which drops every letter beyond a to z.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

from burnish.graders.normalise import squash

_WORD = re.compile(r"[^\W_]+")


def rouge_words(text: str) -> list[str]:
    """The words that are compared."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def _f1(shared: int, given: int, wanted: int) -> float:
    return 2 * shared / (given + wanted) if shared else 0.0


def _ngram_f1(given: Sequence[str], wanted: Sequence[str], n: int) -> float:
    left, right = (Counter(zip(*(words[place:] for place in range(n)), strict=False)) for words in (given, wanted))
    return _f1((left & right).total(), left.total(), right.total())


def grade_rouge(output: str, expected: str) -> dict[str, float]:
    """`rouge_l`: F1 of the longest common sequence of words; `rouge_1`, `rouge_2`: of words and of pairs of words."""
    given, wanted = rouge_words(output), rouge_words(expected)
    if not wanted:  # nothing that could be shared: an expected "…" or 🙂
        same = float(squash(output) == squash(expected))
        return {"rouge_l": same, "rouge_1": same, "rouge_2": same}
    return {
        "rouge_l": _f1(LCSseq.similarity(given, wanted), len(given), len(wanted)),
        "rouge_1": _ngram_f1(given, wanted, 1),
        "rouge_2": _ngram_f1(given, wanted, 2),
    }
