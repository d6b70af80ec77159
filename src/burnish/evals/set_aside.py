"""General text that the verdict never asks for: what may be looked at while the specialist is still being chosen.

Whoever chooses by the suites of the verdict would make the verdict look better than the specialist is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources

from burnish.evals.retention import plain_ids
from burnish.evals.suites import Passage
from burnish.generate.score import text_loss
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer


def passages() -> list[Passage]:
    """Forty short passages of many kinds, written for this alone."""
    text = (resources.files("burnish.evals") / "set_aside.jsonl").read_text("utf-8")
    return [Passage(line["id"], line["text"]) for line in map(json.loads, text.splitlines())]


def general_loss(decoder: Decoder, renderer: Renderer, read: Sequence[Passage]) -> tuple[float, int]:
    """The loss of plain text: nats in all, and over how many tokens. Of what is longer than the context, its beginning
    is read."""
    texts = [plain_ids(renderer.tokenizer, passage.text)[: decoder.config.context] for passage in read]
    losses = text_loss(decoder, texts)
    return sum(nats for nats, _ in losses), sum(tokens for _, tokens in losses)
