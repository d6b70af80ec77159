"""What a run trains on and towards: the rows as its objective reads them, and the objective itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import Any

from burnish.adapt import methods
from burnish.core.errors import DataError, RecipeError
from burnish.core.files import read_json, sha256_of_json, write_json
from burnish.core.records import Row
from burnish.data.rows import read_rows
from burnish.model.decoder import Decoder
from burnish.objectives.dpo import DPO, NumberedPair, Reference, cached, pair_logprobs, switched
from burnish.objectives.registry import check_row, has_objective
from burnish.objectives.sdft import SDFT
from burnish.objectives.settings import DPOSettings, SDFTSettings
from burnish.objectives.sft import SFT
from burnish.pipeline.own_words import make_speaker, read_own_words
from burnish.pipeline.workshop import Workshop
from burnish.render.batch import Length, measure_rows, render_rows
from burnish.render.renderer import Rendered, RenderedPair
from burnish.train.guard import check_rows
from burnish.train.loop import Objective, Rows
from burnish.train.rules import Plan
from burnish.train.work import Draw, as_they_are

Say = Callable[[str], None]


@dataclass(frozen=True)
class Lesson:
    """Rendered rows of train and dev, of the type that the objective takes. `longest`: tokens of the largest one.
    `hints`: of self-distillation, the teacher's prompts by the numbers of rows."""

    rows: Rows[Any]
    dev: Rows[Any]
    longest: int
    hints: tuple[tuple[int, ...], ...] = ()


def row_lengths(shop: Workshop, rows: Iterable[Row], most: int | None = None) -> Iterator[Length | DataError]:
    """Tokens of each row as the model reads it, of a pair those of its longer answer with the prompt; and how many are
    learnt, 0 for a pair of which one answer is not. A DataError stands for a row that can't be rendered. `most` as in
    `measure_rows`.

    Raises RecipeError: the objective cannot learn from this kind of row, and another can.
    """
    first, second = tee(rows)
    for row, found in zip(first, measure_rows(shop.renderer, second, most), strict=True):
        if has_objective(row):
            check_row(shop.recipe.objective.type, row)
        if isinstance(found, DataError):
            yield found
        else:
            learnt = [one.learnt for one in found]
            yield Length(max(one.tokens for one in found), sum(learnt) if all(learnt) else 0)


def _rendered(shop: Workshop, rows: Iterable[Row]) -> Iterator[Rendered | RenderedPair]:
    """Each row as the model reads it, many at a time. Raises DataError: one can't be rendered."""
    for found in render_rows(shop.renderer, rows):
        if isinstance(found, DataError):
            raise found
        yield found


def read_lesson(shop: Workshop) -> Lesson:
    """Reads data/train.jsonl and data/dev.jsonl, and nothing else. Raises RecipeError as `row_length` does."""
    rows, dev = read_rows(shop.run.train), read_rows(shop.run.dev)
    for row in (*rows, *dev):
        check_row(shop.recipe.objective.type, row)
    if isinstance(shop.recipe.objective, DPOSettings):
        return _preferences(shop, rows, dev)
    if isinstance(shop.recipe.objective, SDFTSettings):
        words = read_own_words(shop, shop.recipe.objective, rows, dev)
        return Lesson(words.rows, words.dev, words.longest, words.hints)
    learnt, watched = _answers(shop, rows), _answers(shop, dev)
    return Lesson(learnt, watched, longest=max(*learnt.lengths, *watched.lengths))


def _answers(shop: Workshop, rows: Sequence[Row]) -> Rows[Rendered]:
    rendered = [found for found in _rendered(shop, rows) if isinstance(found, Rendered)]
    sources = _sources(rows)
    check_rows(rendered, sources)
    return Rows(rendered, sources, [len(row.ids) for row in rendered])


def _preferences(shop: Workshop, rows: Sequence[Row], dev: Sequence[Row]) -> Lesson:
    pairs = [found for found in _rendered(shop, (*rows, *dev)) if isinstance(found, RenderedPair)]
    sources = _sources((*rows, *dev))
    check_rows([pair.chosen for pair in pairs], sources)
    check_rows([pair.rejected for pair in pairs], sources)
    numbered = [NumberedPair(number, pair) for number, pair in enumerate(pairs)]
    lengths = [pair.tokens for pair in pairs]
    learnt, watched = slice(len(rows)), slice(len(rows), None)
    return Lesson(
        Rows(numbered[learnt], sources[learnt], lengths[learnt]),
        Rows(numbered[watched], sources[watched], lengths[watched]),
        longest=max(lengths),
    )


def _sources(rows: Iterable[Row]) -> list[str]:
    return [row.source or row.id for row in rows]


def make_objective(shop: Workshop, decoder: Decoder, lesson: Lesson, plan: Plan, say: Say) -> Objective[Any]:
    """The objective of the recipe for a decoder that has not been trained yet.

    Raises RecipeError: the reference asked for needs an adapter, and there is none.
    """
    settings = shop.recipe.objective
    if isinstance(settings, SDFTSettings):
        return SDFT(lesson.hints, methods.switched_off)
    if not isinstance(settings, DPOSettings):
        return SFT()
    adapter = methods.has_adapter(shop.recipe.adapt)
    if settings.reference == "switch" and not adapter:
        raise RecipeError(
            "`objective.reference: switch` turns an adapter off, and this method has none.",
            seen=f"adapt.type {shop.recipe.adapt.type}",
            next_move="set objective.reference to auto or cached",
        )
    once = plan.steps * plan.rows_per_update <= plan.rows
    by_switch = settings.reference == "switch" or (settings.reference == "auto" and adapter and once)
    reference = (
        switched(methods.switched_off) if by_switch else _cached(shop, decoder, lesson, plan.tokens_per_pass, say)
    )
    return DPO(reference, settings.beta, settings.label_smoothing)


def make_draw(shop: Workshop, decoder: Decoder, lesson: Lesson, objective: Objective[Any]) -> Draw:
    """What the rows of an update are turned into before they are learnt."""
    return make_speaker(shop, decoder, objective, lesson.rows) if isinstance(objective, SDFT) else as_they_are


def _cached(shop: Workshop, decoder: Decoder, lesson: Lesson, tokens_per_pass: int, say: Say) -> Reference:
    """Asked before the first step and kept in reference.json, so that a run that goes on has the same numbers."""
    pairs = [row.pair for row in (*lesson.rows.rendered, *lesson.dev.rendered)]
    read = [[[one.ids, one.weights] for one in (pair.chosen, pair.rejected)] for pair in pairs]
    key = sha256_of_json({"model": shop.model_hash, "dtype": str(shop.dtype), "pairs": read,
                          "base_weights": shop.recipe.model.weights})  # fmt: skip
    path = shop.run.reference
    found = read_json(path) if path.exists() else {}
    if found.get("key") != key:
        say(f"asking the model before training about {len(pairs)} pairs")
        with methods.switched_off(decoder) as base:
            found = {"key": key, "logprobs": pair_logprobs(base, pairs, tokens_per_pass)}
        if not shop.world.rank:
            write_json(path, found)
    return cached([(float(chosen), float(rejected)) for chosen, rejected in found["logprobs"]])
