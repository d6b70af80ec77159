"""A regular expression of the user's decides."""

from __future__ import annotations

import regex

from burnish.core.errors import RecipeError
from burnish.graders.normalise import squash

SECONDS = 1.0  # an answer that takes longer to search was made to, or the pattern explodes on it


def compile_pattern(pattern: str) -> regex.Pattern[str]:
    """The pattern for `grade_pattern`. Raises RecipeError: it is none."""
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise RecipeError(
            "This is no regular expression.", where="evaluate.metric.pattern", seen=f"{pattern}: {error}"[:160]
        ) from error


def _caught(pattern: regex.Pattern[str], text: str, seconds: float) -> str | None:
    """What the first group catches, or the whole match where the pattern has no group; None where nothing is found."""
    match = pattern.search(text, timeout=seconds)
    return None if match is None else squash(match[1] or "") if pattern.groups else match[0]


def grade_pattern(
    output: str, expected: str, pattern: regex.Pattern[str], seconds: float = SECONDS
) -> dict[str, float]:
    """`correct`: 1.0 when the pattern is found, and its first group, if it has one, catches what was expected.

    That is what the group catches in the expected answer, or that whole answer where the pattern is not found there. An
    answer that cannot be searched in time is wrong. Raises RecipeError: the expected answer cannot be searched in time.
    """
    try:
        wanted = _caught(pattern, expected, seconds)
    except TimeoutError as error:
        raise RecipeError(
            "The pattern takes too long on an expected answer.",
            where="evaluate.metric.pattern",
            seen=expected[:80],
            next_move="avoid nested repeats such as (a+)+",
        ) from error
    try:
        found = _caught(pattern, output, seconds)
    except TimeoutError:
        return {"correct": 0.0}
    if not pattern.groups:
        return {"correct": float(found is not None)}
    return {"correct": float(found is not None and found == (squash(expected) if wanted is None else wanted))}
