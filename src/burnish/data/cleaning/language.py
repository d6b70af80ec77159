"""The language of a text, by a small model that runs offline: py3langid, naive Bayes over n-grams of bytes.

Of the small detectors measured on short sentences of four languages and on English answers its wrong guesses were the
fewest at equal confidence, which is what counts where a wrong guess is a false alarm.
"""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import LanguageIdentifier

LOOKED_AT = 120  # characters: from 70 on, guesses no longer change
FEWEST_LETTERS = 20  # below, names and labels pass for any language
FEWEST_DENSE_LETTERS = 8  # of scripts that write a word in one or two characters
LETTER_SHARE = 0.6
UNKNOWN = "und"
NOT_A_LANGUAGE = "zxx"

# Code, links, addresses, mark-up and numbers are in no language.
_NOT_LANGUAGE = re.compile(
    r"```.*?(?:```|$)|`[^`\n]*`|https?://\S+|\S+@\S+|<[^<>\n]*>|\\\w+|[\d_#*|={}<>\[\]\\/]+", re.DOTALL
)
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file("data/model.npz.xz", norm_probs=True)


@cache
def languages() -> tuple[str, ...]:
    """The ISO 639 codes that a guess may name; the first stands for a text that is not judged."""
    return (UNKNOWN, *sorted(_identifier().labels))


@cache
def _numbers() -> dict[str, int]:
    return {code: number for number, code in enumerate(languages())}


def guess(text: str) -> tuple[int, float]:
    """(language, its probability), the language as a number into `languages()`.

    A text that is too short or mostly not words is (0, 0).
    """
    words = _words(text)
    if not words:
        return 0, 0.0
    code, probability = _identifier().classify(words)
    return (0, 0.0) if code == NOT_A_LANGUAGE else (_numbers()[code], probability)


def probability_of(language: int, text: str) -> float:
    """How probable it is that a text is in one language; 1 for a text that cannot be judged."""
    words = _words(text)
    return dict(_identifier().rank(words))[languages()[language]] if words else 1.0


def _words(text: str) -> str:
    """The beginning of the text without what is in no language; empty where too little is left to judge."""
    words = " ".join(_NOT_LANGUAGE.sub(" ", text[: 2 * LOOKED_AT]).split())[:LOOKED_AT]
    letters = sum(map(str.isalpha, words))
    enough = FEWEST_DENSE_LETTERS if _DENSE.search(words) else FEWEST_LETTERS
    return words if letters >= max(enough, LETTER_SHARE * len(words)) else ""
