"""Guards of every sort for the tiny runs, at the start of one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burnish.adapt import lora
from burnish.core.world import World
from burnish.guards.distance import LowRank, UpdatePenalty, WeightPenalty, keep_start
from burnish.guards.kl import KL, remember
from burnish.guards.replay import Replay
from burnish.guards.schedule import Schedule
from burnish.objectives.sft import SFT
from burnish.train.agreement import hash_of_tensors
from burnish.train.work import Guards
from tests.unit.train.conftest import TinyRun, make_tiny, rows_of

OLD = {"what is a tide?": "the sea", "who are you?": "a parcel", "and the fox?": "🦊", "list": "one two three"}


def guards_of(tiny: TinyRun, old: Mapping[str, str] = OLD, weight: float = 1.0) -> Guards:
    """Replay, KL and the distance of the weights. `tiny` has not been trained yet."""
    rows = list(rows_of(old).rendered)
    before = remember(tiny.decoder, rows, SFT().passes, 64)
    replay = Replay("replay", weight, rows, Schedule(len(rows), 1.5, 0), SFT())
    kl = KL(weight, rows, Schedule(len(rows), 0.6, 1), SFT().passes, before)
    layers = lora.layers(tiny.decoder).values()
    if layers:
        updates = [LowRank(layer.lora_A, layer.lora_B, layer.scale) for layer in layers]
        return Guards([replay, kl], [UpdatePenalty("l2", weight, updates)])
    return Guards([replay, kl], [WeightPenalty("l2", weight, tiny.parameters, keep_start(tiny.parameters))])


def train_guarded(world: World, folder: Path, options: Mapping[str, Any]) -> None:
    """What a rank does."""
    tiny = make_tiny(folder, "shared", world=world, **options)
    tiny.train(guards=guards_of(tiny))
    (folder / f"shared-{world.rank}.json").write_text(json.dumps(hash_of_tensors(tiny.parameters)))
