"""Which general rows an update sees beside the user's own: a pure function of (seed, step)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

STREAM = 2**32  # epochs of general rows are drawn apart from those of the user's rows


@dataclass(frozen=True)
class Schedule:
    """`per_update` rows a step on the average, of `rows` in all. At 0.8 four steps of five have one."""

    rows: int
    per_update: float
    seed: int

    def at(self, step: int) -> list[int]:
        """The rows of `step` (from 0). All of them come once before one comes again."""
        first, last = (math.floor(self.per_update * count) for count in (step, step + 1))
        return [self._order(at // self.rows)[at % self.rows] for at in range(first, last)]

    def _order(self, epoch: int) -> list[int]:
        generator = np.random.Generator(np.random.Philox(key=[self.seed, STREAM + epoch]))
        return [int(row) for row in generator.permutation(self.rows)]
