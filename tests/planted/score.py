"""Precision and recall of what was found against what was planted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tests.planted.plant import Truth


@dataclass(frozen=True)
class Score:
    """`false` counts rows found with a reason that was not planted there."""

    planted: int
    found: int
    false: int

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 1.0


def score(
    found: Collection[tuple[int, str]], truth: Truth, natural: Collection[tuple[int, str]] = ()
) -> Mapping[str, Score]:
    """Reason → score, for the reasons that were planted.

    `natural` are defects that the set had before: finding them is no fault.
    """
    found, natural = frozenset(found), frozenset(natural)
    return {
        reason: Score(
            planted=len(wanted),
            found=len(wanted & found),
            false=sum(one[1] == reason for one in found - wanted - natural),
        )
        for reason in sorted({reason for _, reason in truth})
        if (wanted := frozenset(one for one in truth if one[1] == reason))
    }
