"""What the model itself says to general prompts before training: drawn once, kept in the run's folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from burnish.adapt import methods
from burnish.core.files import read_json, sha256_of_json, write_json
from burnish.core.records import Chat, Message, Text
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.decoder import Decoder
from burnish.pipeline.workshop import Workshop
from burnish.render.renderer import Rendered, Renderer

ANSWER_TOKENS = 48  # a few sentences: beyond them a small model repeats itself, and time grows with every token
OPENING_TOKENS = 8  # of a passage, which the model then goes on with
TEMPERATURE = 1.0  # samples of the distribution itself; the likeliest answers would sharpen it
LANE = 2**40  # seeds of these draws are apart from those of evaluation

PROBE = Chat("", (Message("user", "A question."), Message("assistant", "An answer.")))


def own_answers(
    shop: Workshop, decoder: Decoder, rows: Sequence[Chat | Text], say: Callable[[str], None]
) -> list[Rendered]:
    """Each prompt with the answer that the base draws, which alone is learnt. Rank 0 draws; a run that goes on reads.

    The file is the record of the draws, under a hash of all that they follow from: another model, precision, seed or
    set of prompts draws anew.
    """
    prompts = [_prompt(shop.renderer, row) for row in rows]
    seed = shop.recipe.train.seed
    key = sha256_of_json({"model": shop.model_hash, "dtype": str(shop.dtype), "seed": seed, "prompts": prompts,
                          "tokens": ANSWER_TOKENS})  # fmt: skip
    text = ""
    if not shop.world.rank:
        path = shop.run.own_answers
        found = read_json(path) if path.exists() else {}
        if found.get("key") != key:
            say(f"asking the model before training {len(prompts)} general questions")
            found = {"key": key, "answers": _draw(decoder, prompts, shop.renderer, seed)}
            write_json(path, found)
        text = json.dumps(found["answers"])
    answers = json.loads(shop.world.first(text))
    end = _turn_end(shop.renderer)
    ends = [end if isinstance(row, Chat) else [] for row in rows]
    return [
        _rendered(prompt, answer, end)
        for prompt, answer, end in zip(prompts, answers, ends, strict=True)
        if answer["tokens"]
    ]


def _prompt(renderer: Renderer, row: Chat | Text) -> list[int]:
    if isinstance(row, Chat):
        return renderer.prompt(row.prompt)
    return renderer.row(row).ids[:OPENING_TOKENS]


def _draw(decoder: Decoder, prompts: Sequence[list[int]], renderer: Renderer, seed: int) -> list[dict[str, Any]]:
    room = decoder.config.context
    requests = [
        Request(tuple(ids), max(0, min(ANSWER_TOKENS, room - len(ids) - 1)), TEMPERATURE, seed * LANE + number)
        for number, ids in enumerate(prompts)
    ]
    with methods.switched_off(decoder) as base:
        made = generate(base, requests, stop_ids=renderer.stop_ids)
    return [{"tokens": list(answer.tokens), "stopped": answer.stopped} for answer in made]


def _turn_end(renderer: Renderer) -> list[int]:
    """The token that ends an answer, where the template has one."""
    row = renderer.row(PROBE)
    last = [token for token, weight in zip(row.ids, row.weights, strict=True) if weight][-1:]
    return [token for token in last if token in renderer.stop_ids]


def _rendered(prompt: list[int], answer: dict[str, Any], end: list[int]) -> Rendered:
    said = [*answer["tokens"], *(end if answer["stopped"] else [])]
    weights = [0.0] * len(prompt) + [1.0] * len(said)
    return Rendered(prompt + said, weights, [-1] * len(prompt) + [0] * len(said))
