"""The learning rate of a step: a pure function, so a resumed run has the same rates as one that never stopped."""

from __future__ import annotations

import math

FLOOR = 0.1  # the decay ends at a tenth of the peak: the last rows still teach


def rate_at(step: int, *, peak: float, steps: int, warmup_steps: int, schedule: str) -> float:
    """Rate of update `step` (from 0). Rises in equal parts over `warmup_steps`, then falls to a tenth of the peak."""
    if step < warmup_steps:
        return peak * (step + 1) / (warmup_steps + 1)
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    if schedule == "cosine":
        return peak * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))
    if schedule == "linear":
        return peak * (1 - (1 - FLOOR) * done)
    return peak
