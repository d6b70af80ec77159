"""What all ways of making a row shorter share: the result, and how much of something fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from burnish.core.records import Changed, Dropped, Row

LengthOf: TypeAlias = Callable[[Row], int]  # tokens of a rendered row, whether or not any of them is learnt
SLACK = 16  # up to this part of the limit may stay unused: finding the very last word costs more than it gives


@dataclass(frozen=True)
class Shortened:
    """What became of one row: those to keep, what was changed in them, and what was left out with the reason."""

    rows: tuple[Row, ...]
    changed: tuple[Changed, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    @property
    def made(self) -> int:
        """How many rows more there are now: rows in + made = rows kept + dropped."""
        return len(self.rows) + len(self.dropped) - 1


def left_out(row: Row, tokens: int, limit: int, note: str = "") -> Dropped:
    """The record of a row that nothing can make fit."""
    return Dropped(row.source, "too_long", f"{tokens} tokens, context {limit}{note and ': '}{note}", row.to_json())


def most_that_fits(low: int, high: int, limit: int, length_at: Callable[[int], int], tokens: int) -> int | None:
    """About the largest count from `low` to below `high` whose length is at most `limit`; None when `low` is too long.

    `length_at` grows with the count; `tokens` is the length at `high` (an estimate will do), which does not fit.
    Lengths are nearly proportional to counts, so interpolating three times is mostly enough; halving ends the rest.
    """
    short = length_at(low)
    if short > limit:
        return None
    tries = 0
    while high - low > 1 and limit - short > limit // SLACK:
        tries += 1
        aim = limit - limit // (2 * SLACK)
        share = (aim - short) / max(1, tokens - short) if tries <= 3 else 0.5
        middle = min(high - 1, max(low + 1, low + int(share * (high - low))))
        length = length_at(middle)
        if length <= limit:
            low, short = middle, length
        else:
            high, tokens = middle, length
    return low
