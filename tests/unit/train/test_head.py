"""The loop and the forest do not know the objective: a head that scores whole rows trains through the same door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from burnish.adapt.settings import LoRASettings
from burnish.core.files import read_jsonl
from burnish.core.records import Chat, Message
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.packing import Strand, pack
from burnish.render.renderer import Rendered, make_renderer
from burnish.train.loop import Rows, train
from burnish.train.rules import Plan
from tests.tiny import make_tokenizer
from tests.unit.train.conftest import CPU, MakeRun

TOKENIZER = make_tokenizer()


@dataclass(frozen=True)
class Scored:
    """A row and the number that is to be read off its last token."""

    rendered: Rendered
    score: float


@dataclass(frozen=True)
class Regression:
    """Rows → one term, "row": Σ (head(hidden at the last token) - score)²."""

    head: nn.Linear
    score_R: Tensor

    def passes(self, rows: Sequence[tuple[int, Scored]], tokens_per_pass: int) -> list[Forest]:
        return pack([[self._strand(number, row)] for number, row in rows], tokens_per_pass)

    def _strand(self, number: int, row: Scored) -> Strand:
        ids = row.rendered.ids
        return Strand(ids, [0.0] * (len(ids) - 1) + [1.0], number)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        return {"row": float(sum(len(forest.target_row_N) for forest in passes))}

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        read_N = self.head(model.hidden(forest)[forest.target_at_N]).squeeze(-1)
        return {"row": (read_N - self.score_R[forest.target_row_N]).pow(2).sum()}


def test_a_scalar_head_trains_with_the_model_and_its_best_weights_come_back(make_run: MakeRun) -> None:
    tiny = make_run("head", LoRASettings(r=4, alpha=8))
    renderer = make_renderer(TOKENIZER)
    chats = [Chat(str(n), (Message("user", "sky"), Message("assistant", "blue " * n))) for n in range(1, 7)]
    scored = [Scored(renderer.row(chat), len(chat.answer) / 30) for chat in chats]
    rows = Rows(scored, [chat.id for chat in chats])
    torch.manual_seed(0)
    head = nn.Linear(tiny.decoder.config.width, 1)
    start = head.weight.detach().clone()
    objective = Regression(head, torch.tensor([row.score for row in scored]))
    parameters = {**tiny.parameters, "score.weight": head.weight, "score.bias": head.bias}
    plan = Plan(len(scored), 60, 3, 64, 5e-3, 1, 20, 20)
    progress = train(tiny.run, tiny.decoder, parameters, objective, rows, rows, plan, tiny.settings,
                     World(0, 1, CPU), tiny.said.append)  # fmt: skip
    losses = [line["loss"] for line in read_jsonl(tiny.run.metrics)]
    assert progress.best_loss is not None
    assert progress.best_loss < 0.05 * sum(losses[:2])
    assert (head.weight - start).abs().max() > 1e-3
    (forest,) = objective.passes(rows.take(range(6)), 10_000)
    assert objective.terms(tiny.decoder, forest)["row"].item() / 6 == pytest.approx(progress.best_loss, rel=1e-4)
