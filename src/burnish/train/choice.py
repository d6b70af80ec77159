"""Which checkpoint, and how much of its update: the best on dev among those that forget little enough.

A scale below 1 gives back part of what training changed. Forgetting grows about with the square of the scale, the gain
about with the scale itself, so a little less of the update is often much less forgotten (arXiv 2109.01903).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SCALES = (0.25, 0.5, 0.75, 1.0)
FINEST = 0.02  # a smaller scale than this is taken for none


@dataclass(frozen=True)
class Point:
    """One candidate. `forgetting`: rise of the loss of general text over the base's, in nats a token."""

    step: int
    scale: float
    dev_loss: float
    forgetting: float


def best_within(points: Iterable[Point], limit: float) -> Point | None:
    """The lowest loss on dev among those within the limit; of equals the smaller scale, then the earlier step."""
    allowed = [point for point in points if point.forgetting <= limit and math.isfinite(point.dev_loss)]
    return min(allowed, key=lambda point: (point.dev_loss, point.scale, point.step), default=None)


def scale_at_limit(points: Sequence[Point], step: int, limit: float) -> float | None:
    """A scale of this checkpoint between the last one within the limit and the next one beyond it, where the straight
    line between the two meets the limit; None where all are within, or nothing lies between.

    Forgetting curves upwards, so that the straight line errs on the side of forgetting less.
    """
    curve = sorted((point.scale, point.forgetting) for point in points if point.step == step)
    within = (0.0, 0.0)
    for scale, forgetting in curve:
        if forgetting <= limit:
            within = (scale, forgetting)
            continue
        share = (limit - within[1]) / (forgetting - within[1])
        found = math.floor(1000 * (within[0] + share * (scale - within[0]))) / 1000
        return found if found >= FINEST and found > within[0] else None
    return None
