"""The supervised objective, watched: which rows each rank learnt from, and a signal at a chosen update."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.sft import SFT
from tests.crash.kinds import TRAIN_ROWS

TRAINED = {id(row) for row in TRAIN_ROWS.rendered}


@dataclass
class Watched:
    """At update `at` (from 1, counted from this start) rank `whose` gets `number`. Rows go into `log` as JSON lines."""

    rank: int
    log: Path
    at: int = 0
    whose: int = 0
    number: int = signal.SIGTERM
    updates: int = 0
    packed: list[Any] = field(default_factory=list)
    sft: SFT = field(default_factory=SFT)

    def passes(self, rows: Sequence[tuple[int, Any]], tokens_per_pass: int) -> list[Forest]:
        self.packed = list(rows)
        return self.sft.passes(rows, tokens_per_pass)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        if self.packed and id(self.packed[0][1]) in TRAINED:  # not a measurement on dev
            self.updates += 1
            with self.log.open("a") as file:
                file.write(json.dumps([self.rank, self.updates, [number for number, _ in self.packed]]) + "\n")
            if self.updates == self.at and self.rank == self.whose:
                os.kill(os.getpid(), self.number)
        return self.sft.counts(passes)

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        return self.sft.terms(model, forest)


def rows_by_update(log: Path) -> list[list[int]]:
    """The rows of each update of one start, over all ranks, sorted."""
    updates: dict[int, list[int]] = {}
    for line in log.read_text().splitlines():
        _, update, numbers = json.loads(line)
        updates.setdefault(update, []).extend(numbers)
    return [sorted(updates[update]) for update in sorted(updates)]
