"""How long the answers of an arm are."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.evals.effects.records import Spread


def spread(lengths: Sequence[int]) -> Spread:
    """Mean, ends, median and 95th percentile (the smallest length that so many do not exceed) of at least one."""
    ordered = sorted(lengths)

    def at(share: float) -> int:
        return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]

    return Spread(sum(ordered) / len(ordered), ordered[0], at(0.5), at(0.95), ordered[-1])
