"""The trainings that are disturbed: a tiny model, real loop, several passes an update, saves in mid-epoch.

Imported once by the fork server, so that a trial starts in milliseconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from safetensors.torch import save_file

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.records import Chat, Message, Pair
from burnish.core.run_folder import RunFolder
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.objectives.dpo import DPO, NumberedPair, cached, pair_logprobs, switched
from burnish.objectives.sft import SFT
from burnish.render.renderer import make_renderer
from burnish.train.loop import Rows, train
from burnish.train.rules import Plan
from burnish.train.settings import TrainSettings
from tests.tiny import make_model, make_tokenizer

torch.set_num_threads(1)  # and so there is no pool of threads that a fork would lose

ADAPT: Mapping[str, AdaptSettings] = {"lora": LoRASettings(r=4, alpha=8), "full": FullSettings()}
STEPS, ROWS_PER_UPDATE, TOKENS_PER_PASS, EVALUATE_EVERY, SAVE_EVERY = 16, 6, 60, 4, 3
FINAL = "final.safetensors"

TOKENIZER = make_tokenizer()
MODEL = make_model(len(TOKENIZER))
QUESTIONS = ("sky", "grass", "late parcel", "one", "order", "colour", "🦊", "line", "which", "answer", "blue")
ANSWERS = ("blue", "green", "refund, the third", "two", "which order is it?", "the grass is green", "ü", "a\nb")
DEV = {"sky": "the line of the grass", "one": "parcel 🦊"}  # full training is best on it at step 4, LoRA late


RENDERER = make_renderer(TOKENIZER)


def _chats(answers: Iterable[tuple[str, str]]) -> Rows[Any]:
    chats = [Chat(question, (Message("user", question), Message("assistant", answer))) for question, answer in answers]
    return Rows([RENDERER.row(chat) for chat in chats], [chat.id for chat in chats])


def _pairs(answers: Iterable[tuple[str, str]], first: int) -> Rows[Any]:
    pairs = [Pair(question, (Message("user", question),), answer, "no idea") for question, answer in answers]
    numbered = [NumberedPair(first + at, RENDERER.pair(pair)) for at, pair in enumerate(pairs)]
    return Rows(numbered, [pair.id for pair in pairs])


ASKED = [(question, ANSWERS[at % len(ANSWERS)]) for at, question in enumerate(QUESTIONS)]
TRAIN_ROWS, DEV_ROWS = _chats(ASKED), _chats(DEV.items())
TRAIN_PAIRS, DEV_PAIRS = _pairs(ASKED, 0), _pairs(DEV.items(), len(ASKED))


@dataclass(frozen=True)
class Kind:
    """One sort of training. `steps` may be cut short for a quick trial."""

    objective: str = "sft"
    method: str = "lora"
    ranks: int = 1
    steps: int = STEPS
    save_every: int = SAVE_EVERY

    def __str__(self) -> str:
        return f"{self.objective} {self.method} {self.ranks} rank{'s' * (self.ranks > 1)}"

    @property
    def plan(self) -> Plan:
        return Plan(
            rows=len(QUESTIONS),
            steps=self.steps,
            rows_per_update=ROWS_PER_UPDATE,
            tokens_per_pass=TOKENS_PER_PASS,
            learning_rate=3e-2 if self.method == "lora" else 1e-2,
            warmup_steps=1,
            evaluate_every=EVALUATE_EVERY,
            save_every=self.save_every,
        )


KINDS = tuple(
    Kind(objective, method, ranks) for objective in ("sft", "dpo") for method in ("lora", "full") for ranks in (1, 2)
)


def train_kind(kind: Kind, folder: Path, world: World, say: Callable[[str], None], objective: Any = None) -> None:
    """Trains, or goes on, in `folder`; at the end rank 0 writes the weights that the network was left with."""
    run = RunFolder(folder)
    run.create()
    decoder = build_decoder(MODEL.config.to_dict(), dict(MODEL.state_dict()), dtype=torch.float32, device=world.device)
    methods.apply(decoder, ADAPT[kind.method], seed=0)
    parameters = methods.trainable(decoder)
    settings = TrainSettings(seed=7, patience=100)
    rows, dev = (TRAIN_ROWS, DEV_ROWS) if kind.objective == "sft" else (TRAIN_PAIRS, DEV_PAIRS)
    made = objective or _objective(kind, decoder)
    train(run, decoder, parameters, made, rows, dev, kind.plan, settings, world, say)
    if world.rank == 0:
        save_file({name: tensor.detach() for name, tensor in parameters.items()}, folder / FINAL)


def _objective(kind: Kind, untrained: Decoder) -> Any:
    if kind.objective == "sft":
        return SFT()
    if methods.has_adapter(ADAPT[kind.method]):
        return DPO(switched(methods.switched_off))
    pairs = [row.pair for row in (*TRAIN_PAIRS.rendered, *DEV_PAIRS.rendered)]
    return DPO(cached(pair_logprobs(untrained, pairs, TOKENS_PER_PASS)))
