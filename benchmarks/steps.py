"""Single updates of the real loop in this process, for what a whole run would hide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from burnish.adapt import methods
from burnish.core.run_folder import RunFolder
from burnish.core.settings import Document, build
from burnish.core.world import World
from burnish.model.compiled import compiled_pointwise
from burnish.model.decoder import Decoder
from burnish.model.pointwise import PLAIN
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import Recipe, expand
from burnish.render.renderer import Rendered
from burnish.train.loop import update
from burnish.train.optimiser import AdamW
from burnish.train.rules import Plan
from burnish.train.rules import tokens_per_pass as by_rule
from burnish.train.settings import TrainSettings
from burnish.train.work import Objective, Rows


@dataclass(frozen=True)
class Trainee:
    """A decoder that is being trained, with all that one update needs."""

    decoder: Decoder
    parameters: dict[str, nn.Parameter]
    optimiser: AdamW
    rows: Rows[Rendered]
    plan: Plan
    settings: TrainSettings
    world: World

    def update(self, objective: Objective[Rendered], step: int) -> tuple[float, dict[str, Any]]:
        """(seconds, the line of metrics.jsonl) of update `step`."""
        started = time.perf_counter()
        line = update(self.decoder, self.parameters, self.optimiser, objective, self.rows, self.plan, self.settings,
                      self.world, step)  # fmt: skip
        return time.perf_counter() - started, line


def make_trainee(
    model: Path,
    rows: Sequence[Rendered],
    *,
    method: str,
    rows_per_update: int,
    tokens_per_pass: int | None = None,
    compiled: bool = False,
) -> Trainee:
    """The model of a folder in bf16 with an adapter, or with all weights, to train."""
    groups = {"model": {"name": str(model), "dtype": "bfloat16"}, "data": "unused", "adapt": {"type": method}}
    recipe = build(Recipe, expand(Document(groups)))
    shop = Workshop(recipe, Path.cwd(), RunFolder(Path("unused")))
    pointwise = compiled_pointwise(shop.world.device, shop.dtype, print) if compiled else PLAIN
    decoder = shop.base_decoder(pointwise=pointwise)  # as the train stage takes it
    methods.apply(decoder, recipe.adapt, seed=0)
    parameters = methods.trainable(decoder)
    longest = max(len(row.ids) for row in rows)
    plan = Plan(
        rows=len(rows),
        steps=1000,
        rows_per_update=rows_per_update,
        tokens_per_pass=max(tokens_per_pass, longest) if tokens_per_pass else by_rule(longest, recipe.adapt),
        learning_rate=1e-4,
        warmup_steps=0,
        evaluate_every=1000,
        save_every=1000,
    )
    settings = TrainSettings(schedule="constant")
    sources = [str(number) for number in range(len(rows))]
    return Trainee(decoder, parameters, AdamW(parameters, 0.0), Rows(rows, sources), plan, settings, shop.world)


def synthetic_row(tokens: Sequence[int], learnt: int) -> Rendered:
    """A row of these ids of which the last `learnt` are learnt."""
    read = len(tokens) - learnt
    return Rendered(list(tokens), [0.0] * read + [1.0] * learnt, [0] * len(tokens))
