"""Answers that break off. An open code block shows it by itself; an absent full stop only where all others set one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burnish.data.cleaning.ending import CLOSED, CUT_MARK, HANGING, OPEN_FENCE, OPEN_JSON, UNFINISHED
from burnish.data.cleaning.features import Features
from burnish.data.cleaning.outcome import Observation, Verdict
from burnish.data.cleaning.settings import CleanSettings

MOST_OF_A_FAULT = 0.2  # what more rows than this share do is the custom of the set
FEWEST_PROSE = 30
MOSTLY_CLOSED = 0.8  # answers that end as a sentence does: from here on, one that hangs is a fault
NEARLY_ALL_CLOSED = 0.97  # … and from here on, one without a full stop
FEWEST_AT_LIMIT = 5  # answers of exactly the greatest length; by chance there is one
SHORTEST_LIMIT = 200  # characters
TOP_SHARE = 0.1  # the longest tenth: there a limit in tokens would show
PLAIN = {
    OPEN_FENCE: "a code block is not closed",
    OPEN_JSON: "a JSON value is not closed",
    CUT_MARK: "it says that it was cut",
    HANGING: "it ends in the middle of a sentence",
    UNFINISHED: "it ends without the full stop that the others have",
}


def truncated_answers(features: Features, settings: CleanSettings) -> tuple[list[Verdict], list[Observation]]:
    """The answers that break off, with what shows it, and whether a limit on length seems to be the cause."""
    ending, chars = features["ending"], features["answer_chars"]
    faults = 0
    for mark in (OPEN_FENCE, OPEN_JSON, CUT_MARK):
        if np.count_nonzero(ending & mark) <= MOST_OF_A_FAULT * len(ending):
            faults |= mark
    closed, unended = _count(ending, CLOSED), _count(ending, HANGING | UNFINISHED)
    if closed + unended >= FEWEST_PROSE:
        share = closed / (closed + unended)
        faults |= HANGING if share >= MOSTLY_CLOSED else 0
        faults |= UNFINISHED if share >= NEARLY_ALL_CLOSED else 0
    shown = np.where(ending & faults, ending & faults, 0)
    limit, at_limit = _cut_at_limit(ending, chars)
    shown = np.where(at_limit, ending & (HANGING | UNFINISHED), shown)
    verdicts = [
        Verdict(index, "truncated_answer", _plain(int(shown[index])), drop=settings.truncated == "drop")
        for index in np.flatnonzero(shown).tolist()
    ]
    return verdicts, [Observation("cut_at_length", limit)] if limit else []


def _cut_at_limit(ending: NDArray[np.uint8], chars: NDArray[np.uint32]) -> tuple[str, NDArray[np.bool_]]:
    """What limit was found, in words, and the answers that broke off there."""
    unended = (ending & (HANGING | UNFINISHED)) != 0
    none = np.zeros(len(chars), dtype=bool)
    longest = int(chars.max(initial=0))
    if longest < SHORTEST_LIMIT:
        return "", none
    at_longest = unended & (chars == longest)
    if np.count_nonzero(at_longest) >= FEWEST_AT_LIMIT:
        return f"{np.count_nonzero(at_longest)} answers break off at exactly {longest} characters", at_longest
    top = chars >= max(SHORTEST_LIMIT, np.quantile(chars, 1 - TOP_SHARE))
    in_top, below = unended[top].mean() if top.any() else 0.0, unended[~top].mean() if (~top).any() else 0.0
    if np.count_nonzero(unended & top) >= 2 * FEWEST_AT_LIMIT and in_top >= 0.3 and in_top >= 3 * below:
        words = f"{in_top:.0%} of the longest answers break off, {below:.0%} of the others: a limit in tokens, perhaps"
        return words, unended & top
    return "", none


def _count(ending: NDArray[np.uint8], marks: int) -> int:
    return int(np.count_nonzero(ending & marks))


def _plain(marks: int) -> str:
    return "; ".join(words for mark, words in PLAIN.items() if marks & mark)
