"""Which language a set is in, and the rows that are not. Prompts and answers apart: a set of translations is sound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from burnish.core.records import Row
from burnish.data.cleaning.features import PROMPT_END, Features, answer_side, prompt_side
from burnish.data.cleaning.language import languages, probability_of
from burnish.data.cleaning.outcome import Observation, Verdict
from burnish.data.cleaning.settings import CleanSettings

CERTAIN = 0.5  # probability from which a row has a say in the set's language
FEWEST_CERTAIN = 20
NEARLY_ALL = 0.8  # share of the certain rows that makes a language the set's own
# (how likely another language is at least, how likely the own at most). With these, 2 of 12,000 English texts were
# reported, and 98 % of the sentences in other languages of 30 characters and more.
LIMITS = ((0.4, 0.02), (0.2, 0.003))
# Languages and dialects that short texts do not tell apart.
KIN = tuple(
    map(
        frozenset,
        (
            *(("en", "pcm"), ("es", "ext", "an", "gl"), ("no", "nn", "da"), ("hr", "bs", "sr"), ("id", "ms")),
            *(("ar", "arz", "ary"), ("zh", "yue", "wuu"), ("he", "hbo"), ("el", "grc"), ("fr", "gcf", "gcr", "wa")),
            *(("it", "lij", "vec"), ("lv", "ltg"), ("ku", "sdh"), ("uz", "uzs")),
        ),
    )
)


def wrong_languages(
    features: Features, settings: CleanSettings, row_at: Callable[[int], Row]
) -> tuple[list[Verdict], list[Observation]]:
    """Rows whose prompt or answer is in another language than nearly all on its side.

    `row_at` gives the rows that are looked at again; they are few.
    """
    verdicts: list[Verdict] = []
    observations: list[Observation] = []
    for side, text_of in (("prompt", _end_of_prompt), ("answer", answer_side)):
        found, certainty = features[f"{side}_language"], features[f"{side}_certainty"]
        own = _own_language(found[certainty >= CERTAIN])
        if isinstance(own, str):
            observations.append(Observation("several_languages", f"{side}s: {own}"))
        if not isinstance(own, int):
            continue
        for index in np.flatnonzero((found != own) & (found != 0) & (certainty >= LIMITS[-1][0])).tolist():
            if _are_kin(own, int(found[index])):
                continue
            likely = probability_of(own, text_of(row_at(index)))
            if any(certainty[index] >= other and likely < limit for other, limit in LIMITS):
                detail = f"the {side} is rather in {languages()[found[index]]}, most are in {languages()[own]}"
                verdicts.append(Verdict(index, "other_language", detail, drop=settings.language == "drop"))
    return verdicts, observations


def _own_language(found: NDArray[np.uint8]) -> int | str | None:
    """The language of nearly all, or the shares in words where there is none; None where too few rows are certain."""
    if len(found) < FEWEST_CERTAIN:
        return None
    counts = np.bincount(found)
    commonest = np.argsort(-counts, kind="stable")[:4]
    if counts[commonest[0]] >= NEARLY_ALL * len(found):
        return int(commonest[0])
    shares = (f"{languages()[one]} {counts[one] / len(found):.0%}" for one in commonest if counts[one])
    return ", ".join(shares)


def _are_kin(one: int, other: int) -> bool:
    return any({languages()[one], languages()[other]} <= family for family in KIN)


def _end_of_prompt(row: Row) -> str:
    return prompt_side(row)[-PROMPT_END:]
