"""How one layer attends, whatever computes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AttentionRule:
    """How one layer attends: score = query · key * scale, over at most `window` tokens back, capped softly."""

    scale: float
    window: int | None = None
    softcap: float | None = None
