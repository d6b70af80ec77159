"""A training run of a tiny model on a few rows, in a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import nn

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, LoRASettings
from burnish.core.records import Chat, Message
from burnish.core.run_folder import RunFolder
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.objectives.sft import SFT
from burnish.render.renderer import make_renderer
from burnish.train.loop import Objective, Progress, Rows, train
from burnish.train.rules import Plan
from burnish.train.settings import TrainSettings
from burnish.train.work import NO_GUARDS, Guards
from tests.tiny import make_model, make_tokenizer

CPU = torch.device("cpu")
TOKENIZER = make_tokenizer()
ANSWERS = {
    "sky": "blue",
    "grass": "green",
    "late parcel": "refund, the third",
    "one": "two",
    "order": "which order is it?",
    "colour": "the sky is blue and the grass is green",
    "🦊": "ü",
    "line": "a\nb",
}


def rows_of(answers: Mapping[str, str]) -> Rows:
    """Rendered rows, with "rows.jsonl:1" and so on as their places."""
    renderer = make_renderer(TOKENIZER)
    chats = [Chat(q, (Message("user", q), Message("assistant", a))) for q, a in answers.items()]
    return Rows([renderer.row(chat) for chat in chats], [f"rows.jsonl:{line + 1}" for line in range(len(chats))])


@dataclass
class TinyRun:
    """Everything that `train` takes, with a decoder made anew."""

    run: RunFolder
    decoder: Decoder
    plan: Plan
    settings: TrainSettings
    rows: Rows
    dev: Rows
    world: World = field(default_factory=lambda: World(0, 1, CPU))
    said: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        return methods.trainable(self.decoder)

    def train(self, objective: Objective | None = None, guards: Guards = NO_GUARDS) -> Progress:
        return train(self.run, self.decoder, self.parameters, objective or SFT(), self.rows, self.dev, self.plan,
                     self.settings, self.world, self.said.append, guards=guards)  # fmt: skip


MakeRun = Callable[..., TinyRun]


def make_tiny(
    folder: Path,
    name: str = "run",
    adapt: AdaptSettings | None = None,
    *,
    steps: int = 12,
    rows_per_update: int = 3,
    tokens_per_pass: int = 64,
    rate: float = 3e-3,
    evaluate_every: int = 4,
    save_every: int = 4,
    patience: int = 100,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    answers: Mapping[str, str] = ANSWERS,
    dev: Mapping[str, str] | None = None,
    on_nan: Literal["stop", "skip"] = "stop",
    world: World | None = None,
) -> TinyRun:
    """A run in folder/name. The same name goes on where the run of that name stopped."""
    run = RunFolder(folder / name)
    run.create()
    model = make_model(len(TOKENIZER))
    decoder = build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=dtype, device=CPU)
    methods.apply(decoder, adapt or LoRASettings(r=4, alpha=8), seed=seed)
    rows = rows_of(answers)
    plan = Plan(len(answers), steps, rows_per_update, tokens_per_pass, rate, 1, evaluate_every, save_every)
    settings = TrainSettings(seed=seed, patience=patience, on_nan=on_nan)
    return TinyRun(run, decoder, plan, settings, rows, rows_of(dev) if dev else rows, world or World(0, 1, CPU))


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """make_run(name, adapt, steps=…, …), in a fresh folder."""
    return partial(make_tiny, tmp_path)
