"""What self-distillation learns from: prompts with and without the answer, and what the model says at each update."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from burnish.adapt import methods
from burnish.core.errors import DataError, RecipeError
from burnish.core.files import sha256_of_json
from burnish.core.records import Chat, Row
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.decoder import Decoder
from burnish.objectives.sdft import SDFT, Told
from burnish.objectives.settings import SDFTSettings
from burnish.pipeline.workshop import Workshop
from burnish.train.loop import Rows

TEMPERATURE = 1.0  # the student's own distribution
ROOM = 1.5  # an answer of its own may be so much longer than the longest given one


@dataclass(frozen=True)
class OwnWords:
    """Rows of train and dev with the given answers, and the teacher's prompt of each by its number."""

    rows: Rows[Told]
    dev: Rows[Told]
    hints: tuple[tuple[int, ...], ...]
    longest: int


def read_own_words(shop: Workshop, settings: SDFTSettings, rows: Sequence[Row], dev: Sequence[Row]) -> OwnWords:
    """Rendered rows. Raises RecipeError: there is no adapter to switch off; DataError: a row has no room for its
    hint."""
    if not methods.has_adapter(shop.recipe.adapt):
        raise RecipeError(
            "`objective: sdft` asks the model before training at every update, by switching its adapter off, and this "
            "method has none.",
            seen=f"adapt.type {shop.recipe.adapt.type}",
            next_move="set adapt.type to lora",
        )
    told, hints = [], []
    for number, row in enumerate((*rows, *dev)):
        one, hint = _told(shop, settings, number, row)
        told.append(one)
        hints.append(hint)
    lengths = [len(hint) + len(one.said) for one, hint in zip(told, hints, strict=True)]
    sources = [row.source or row.id for row in (*rows, *dev)]
    for source, length in zip(sources, lengths, strict=True):
        if length > shop.context:
            raise DataError(
                "A row with its answer as a hint is longer than the model's context.",
                where=source,
                seen=f"{length} of {shop.context} tokens",
                next_move="shorten or leave out the row, or take `objective: sft`",
            )
    learnt, watched = slice(len(rows)), slice(len(rows), None)
    return OwnWords(
        Rows(told[learnt], sources[learnt], lengths[learnt]),
        Rows(told[watched], sources[watched], lengths[watched]),
        tuple(hints),
        max(lengths),
    )


def _told(shop: Workshop, settings: SDFTSettings, number: int, row: Row) -> tuple[Told, tuple[int, ...]]:
    """The last answer of a conversation after its prompt, and the prompt that shows it to the teacher."""
    assert isinstance(row, Chat)  # the registry lets nothing else through
    prompt = tuple(shop.renderer.prompt(row.prompt))
    rendered = shop.renderer.row(row)
    learnt = [at for at, weight in enumerate(rendered.weights) if weight and at >= len(prompt)]
    if not learnt or tuple(rendered.ids[: len(prompt)]) != prompt:
        raise DataError("The answer of this row cannot be told from its prompt.", where=row.source or row.id,
                        next_move="take `objective: sft`")  # fmt: skip
    said = tuple(rendered.ids[len(prompt) : learnt[-1] + 1])
    *before, question = row.prompt
    shown = settings.hint.replace("{question}", question.content).replace("{answer}", row.messages[-1].content)
    hint = shop.renderer.prompt([*before, replace(question, content=shown)])
    return Told(number, prompt, said), tuple(hint)


def draw_seed(seed: int, step: int, number: int) -> int:
    """64 bits for the draws of one row at one step, apart from those of any other."""
    return int(sha256_of_json(["own words", seed, step, number])[:16], 16)


@dataclass(frozen=True)
class Speaker:
    """Puts what the student itself says in place of the given answers: the draw of the loop."""

    decoder: Decoder
    hints: Sequence[tuple[int, ...]]
    stop_ids: frozenset[int]
    room: int
    context: int
    seed: int

    def __call__(self, step: int, rows: Sequence[tuple[int, Told]]) -> list[tuple[int, Told]]:
        """A pure function of the weights, the seed, the step and each row's number."""
        requests = [
            Request(row.prompt, self._room(row), TEMPERATURE, draw_seed(self.seed, step, row.number)) for _, row in rows
        ]
        answers = generate(self.decoder, requests, stop_ids=self.stop_ids)
        return [
            (at, replace(row, said=(*answer.tokens, *(_end(row, self.stop_ids) if answer.stopped else ())) or row.said))
            for (at, row), answer in zip(rows, answers, strict=True)
        ]

    def _room(self, row: Told) -> int:
        """The teacher must be able to read the answer, and the token that ends it, after its longer prompt."""
        return max(1, min(self.room, self.context - len(self.hints[row.number]) - 1))


def _end(row: Told, stop_ids: frozenset[int]) -> tuple[int, ...]:
    """The token that ends the given answer."""
    return row.said[-1:] if row.said and row.said[-1] in stop_ids else ()


def make_speaker(shop: Workshop, decoder: Decoder, objective: SDFT, rows: Rows[Told]) -> Speaker:
    """The student at its current weights."""
    room = math.ceil(ROOM * max(len(row.said) for row in rows.rendered))
    stop_ids = frozenset(shop.renderer.stop_ids)
    return Speaker(decoder, objective.hints, stop_ids, room, shop.context, shop.recipe.train.seed)
