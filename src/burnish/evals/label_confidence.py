"""How sure is a model of a label? All labels are weighed after the prompt, which is computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from burnish.core.records import Chat, Message
from burnish.evals.answer_ids import answer_ids
from burnish.evals.task_data import TaskData
from burnish.generate.score import Choices, score_choices
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

MOST_TOKENS = 40_000  # computed for an arm unless the recipe says more: about a minute of two cores for 135M parameters


@dataclass(frozen=True)
class Weighing:
    """The labels as token ids with the end of the turn, and the ids of the rows that are asked."""

    labels: tuple[str, ...] = ()
    label_ids: tuple[tuple[int, ...], ...] = ()
    rows: frozenset[str] = frozenset()


NOTHING = Weighing()


def weighing(data: TaskData, renderer: Renderer, most_rows: int | None) -> Weighing:
    """What is weighed of a task with labels: at most so many rows, or as many as `MOST_TOKENS` allow. The same rows for
    every arm and seed: first by the hash of their ids. Nothing for other tasks.
    """
    if data.metric.type != "label" or len(data.labels) < 2 or most_rows == 0:
        return NOTHING
    ids = tuple(tuple(answer_ids(renderer, _answered(data.test[0], label))) for label in data.labels)
    if most_rows is None:
        mean_prompt = sum(len(renderer.prompt(row.prompt, row.tools)) for row in data.test) / len(data.test)
        most_rows = int(MOST_TOKENS / (mean_prompt + sum(len(one) - 1 for one in ids)))
    order = sorted(data.test, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    return Weighing(data.labels, ids, frozenset(row.id for row in order[:most_rows]))


def _answered(row: Chat, answer: str) -> Chat:
    return replace(row, messages=(*row.prompt, Message("assistant", answer)))


def label_facts(
    decoder: Decoder, wanted: Weighing, rows: Sequence[Chat], prompts: Sequence[Sequence[int]]
) -> list[dict[str, Any]]:
    """For each row that is weighed its likeliest label and its confidence: the share of that label in the probability
    of all labels. Empty for the other rows, and where prompt and label exceed the context.
    """
    longest = max(map(len, wanted.label_ids), default=0)
    asked = [
        place
        for place, (row, prompt) in enumerate(zip(rows, prompts, strict=True))
        if row.id in wanted.rows and len(prompt) + longest <= decoder.config.context
    ]
    facts: list[dict[str, Any]] = [{} for _ in rows]
    questions = [Choices(tuple(prompts[place]), wanted.label_ids) for place in asked]
    for place, logprobs in zip(asked, score_choices(decoder, questions), strict=True):
        best = int(np.argmax(logprobs))
        confidence = float(np.exp(logprobs[best] - np.logaddexp.reduce(logprobs)))
        facts[place] = {"label": wanted.labels[best], "confidence": confidence}
    return facts
