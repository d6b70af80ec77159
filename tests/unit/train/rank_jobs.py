"""What the ranks of the tests of training do."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from burnish.core.errors import BurnishError, Stopped
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.sft import SFT
from burnish.render.renderer import Rendered
from burnish.train.agreement import hash_of_tensors
from tests.unit.train.conftest import make_tiny


@dataclass
class Noted:
    """The supervised objective. Notes the rows that it learns from; `bad` ones give NaN; may stop its own process."""

    bad: Sequence[int] = ()
    stop_at: int | None = None
    seen: list[int] = field(default_factory=list)
    calls: int = 0
    sft: SFT = field(default_factory=SFT)

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        return self.sft.passes(rows, tokens_per_pass)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        return self.sft.counts(passes)

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        rows = sorted({int(row) for row in forest.target_row_N})
        terms = self.sft.terms(model, forest)
        if torch.is_grad_enabled():
            self.calls += 1
            self.seen += rows
            if self.calls == self.stop_at:
                os.kill(os.getpid(), signal.SIGTERM)
            if set(rows) & set(self.bad):
                terms = {name: term * torch.nan for name, term in terms.items()}
        return terms


def train(world: World, folder: Path, name: str, stop: Mapping[int, int], options: Mapping[str, Any]) -> None:
    """Trains or goes on. `stop`: rank → at which pass it gets SIGTERM. Leaves the hash of its weights."""
    tiny = make_tiny(folder, name, world=world, **options)
    objective = Noted(stop_at=stop.get(world.rank))
    try:
        tiny.train(objective)
    except Stopped:
        assert stop
    else:
        assert not stop
    (folder / f"{name}-{world.rank}.json").write_text(json.dumps(hash_of_tensors(tiny.parameters)))


def train_with_bad_rows(world: World, folder: Path, bad: Sequence[int], options: Mapping[str, Any]) -> None:
    """Some rows give NaN on whichever rank they are."""
    make_tiny(folder, "bad", world=world, **options).train(Noted(bad=bad))


def train_other_weights(world: World, folder: Path) -> None:
    """Rank 1 was given another seed."""
    try:
        make_tiny(folder, "other", world=world, seed=world.rank).train()
    except BurnishError as error:
        assert "do not hold the same trained weights" in str(error)  # noqa: PT017 - in another process
    else:
        raise AssertionError("nobody noticed")
