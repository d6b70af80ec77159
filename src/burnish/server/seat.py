"""A network in memory with what is needed to ask it: its renderer, its engine, its tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from burnish.core.world import single_world
from burnish.generate.engine import Engine
from burnish.model.arranged import arrange
from burnish.model.bank import Bank
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer, make_renderer
from burnish.server.calls import CallForm, call_form
from burnish.server.guide import Grammars

SLOTS = 64  # answers written at once by one network
READ_PER_PASS = 512  # tokens of prompts read in one pass: others' next tokens wait for it
REMEMBERED = 512 << 20  # bytes of keys and values that are kept for requests with the same beginning
MOST_REMEMBERED = 65_536  # tokens, of small models


@dataclass(eq=False)
class Seat:
    """`model_hash` is of the weights without adapters. Requests are put to `engine` by the worker's thread alone."""

    decoder: Decoder
    renderer: Renderer
    model_hash: str
    slots: int = SLOTS
    engine: Engine = field(init=False)
    grammars: Grammars = field(init=False)
    calls: CallForm | None = field(init=False)

    def __post_init__(self) -> None:
        self.grammars, self.calls = Grammars(self.renderer), call_form(self.renderer)
        self.renew()

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together."""
        return self.decoder.config.context

    def renew(self) -> None:
        """An engine without requests."""
        config, number = self.decoder.config, self.decoder.compute.itemsize
        token = 2 * config.layers * config.key_value_heads * config.head_width * number  # bytes
        remember = min(REMEMBERED // token, MOST_REMEMBERED)
        self.engine = Engine(
            self.decoder,
            stop_ids=self.renderer.stop_ids,
            slots=self.slots,
            tokens_per_pass=READ_PER_PASS,
            remember=remember,
        )


def base_seat(path: Path, model_hash: str, *, dtype: torch.dtype, slots: int = SLOTS) -> Seat:
    """A pretrained model on its own, ready for adapters. Raises ModelError: it cannot be read."""
    checkpoint = read_checkpoint(path)
    decoder = build_decoder(
        checkpoint.config,
        checkpoint.tensors,
        dtype=dtype,
        device=single_world().device,
        tokens=checkpoint.tokens,
    ).requires_grad_(False)
    decoder = arrange(decoder)
    decoder.bank = Bank(decoder)
    return Seat(decoder, make_renderer(checkpoint.tokenizer, checkpoint.generation), model_hash, slots)
