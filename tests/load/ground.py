"""A tiny model, eight adapters in two versions each, and what every one of them must answer.

The expected answers come from networks with the update worked into the weights: no bank, no batch, no server.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import torch

from burnish.adapt.lora_file import Update, read_lora
from burnish.adapt.several import write_update
from burnish.core.records import Message
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer, make_renderer
from tests.tiny import make_model, make_tokenizer

ADAPTERS = 8
VERSIONS = 2
TOKENS = 6
MATRICES = ("self_attn.q_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj")
SYSTEM = "the colour of the grass is green and the parcel is late, which is the order of the sky? " * 2


@dataclass(frozen=True)
class Ground:
    """`expected`: (adapter's name and version, or the base's ("", 0), number of the prompt) → text."""

    model: Path
    adapters: Path
    prompts: tuple[tuple[Message, ...], ...]
    expected: dict[tuple[tuple[str, int], int], str]

    def folder(self, name: str, version: int) -> Path:
        return self.adapters / f"{name}-{version}"

    @property
    def names(self) -> list[str]:
        return [f"adapter{number}" for number in range(ADAPTERS)]


def make_ground(folder: Path, *, prompts: int = 12, seed: int = 0) -> Ground:
    """Writes it all. Prompts that two answer alike are left out; asserts that most remain."""
    model = _write_model(folder / "model")
    checkpoint = read_checkpoint(model)
    renderer = make_renderer(checkpoint.tokenizer, checkpoint.generation)
    rng, source = random.Random(seed), torch.Generator().manual_seed(seed)
    asked = tuple(_talk(rng, number) for number in range(prompts))
    ground = Ground(model, folder / "adapters", asked, {})
    ids = [tuple(renderer.prompt(list(talk))) for talk in asked]

    def plain() -> Decoder:
        return build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))

    _answer(ground, ("", 0), plain(), renderer, ids)
    for name in ground.names:
        for version in range(VERSIONS):
            write_update(ground.folder(name, version), _updates(plain(), source), base="tiny")
            _answer(ground, (name, version), _merged(plain(), ground.folder(name, version)), renderer, ids)
    telling = [number for number in range(prompts) if _tells(ground, number)]
    assert len(telling) > prompts // 2, "adapters answer alike"
    expected = {(who, telling.index(at)): text for (who, at), text in ground.expected.items() if at in telling}
    return Ground(model, ground.adapters, tuple(asked[number] for number in telling), expected)


def _write_model(folder: Path) -> Path:
    """A tiny model that says no token by which two answers would be one text: no part of a character, no space."""
    tokenizer = make_tokenizer()
    model = make_model(len(tokenizer), tied=False)
    texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
    unclear = [
        token for token, text in enumerate(texts) if not (text.isascii() and text.isprintable() and text.strip())
    ]
    with torch.no_grad():
        model.lm_head.weight[unclear] = 0  # other logits are above 0 somewhere
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tells(ground: Ground, number: int) -> bool:
    """Whether the answer to this prompt says whose it is."""
    said = [text for (_, at), text in ground.expected.items() if at == number]
    return len(set(said)) == len(said)


def _talk(rng: random.Random, number: int) -> tuple[Message, ...]:
    """Most begin with one system prompt; some go on from the same first turn."""
    words = " ".join(rng.choice(SYSTEM.split()) for _ in range(rng.randrange(3, 40)))
    turns = [Message("system", SYSTEM)] if number % 4 else []
    if number % 3 == 0:
        turns += [Message("user", "where is my order?"), Message("assistant", "it is late.")]
    return (*turns, Message("user", words))


def _updates(decoder: Decoder, source: torch.Generator) -> dict[str, Update]:
    made = {}
    rank = int(torch.randint(1, 9, (), generator=source))
    for layer in range(decoder.config.layers):
        for name in MATRICES:
            weight = decoder.get_parameter(f"model.layers.{layer}.{name}.weight")
            a = torch.randn(rank, weight.shape[1], generator=source)
            made[f"model.layers.{layer}.{name}"] = Update(a, torch.randn(weight.shape[0], rank, generator=source), 0.3)
    return made


def _merged(decoder: Decoder, folder: Path) -> Decoder:
    for name, update in read_lora(folder).items():
        weight = decoder.get_parameter(f"{name}.weight")  # whose memory other networks share
        weight.data = weight.data + update.scale * update.b @ update.a
    return decoder


def _answer(
    ground: Ground, key: tuple[str, int], decoder: Decoder, renderer: Renderer, ids: list[tuple[int, ...]]
) -> None:
    for number, prompt in enumerate(ids):  # one at a time: nothing can come from a neighbour
        (answer,) = generate(decoder.requires_grad_(False), [Request(prompt, TOKENS)], stop_ids=renderer.stop_ids)
        ground.expected[key, number] = renderer.decode(answer.tokens)
