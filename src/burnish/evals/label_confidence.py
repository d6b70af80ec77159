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

MOST_TOKENS = 12_000  # computed for an arm, about, unless the recipe says more: a few per cent of an evaluation
USUAL_TOKENS = 60  # of labels a row: most labels are ruled out by their first token
MISSED = 0.01


@dataclass(frozen=True)
class Weighing:
    """The labels as token ids with the end of the turn, the ids of the rows that are asked, and whom: not the base as
    it is where it is also prompted, for unprompted it does not know the labels.
    """

    labels: tuple[str, ...] = ()
    label_ids: tuple[tuple[int, ...], ...] = ()
    rows: frozenset[str] = frozenset()
    left_out: str = ""


NOTHING = Weighing()


def weighing(data: TaskData, renderer: Renderer, most_rows: int | None, opponents: Sequence[str] = ()) -> Weighing:
    """What is weighed of a task with labels: at most so many rows, or as many as `MOST_TOKENS` allow. The same rows for
    every arm and seed: first by the hash of their ids. Nothing for other tasks.
    """
    if data.metric.type != "label" or len(data.labels) < 2 or most_rows == 0:
        return NOTHING
    ids = tuple(tuple(answer_ids(renderer, _answered(data.test[0], label))) for label in data.labels)
    if most_rows is None:
        mean_prompt = sum(len(renderer.prompt(row.prompt, row.tools)) for row in data.test) / len(data.test)
        # the prompt is read for the first tokens, and again for the labels
        most_rows = int(MOST_TOKENS / (2 * mean_prompt + min(USUAL_TOKENS, sum(len(one) - 1 for one in ids))))
    order = sorted(data.test, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    left_out = "base" if "prompted" in opponents else ""
    return Weighing(data.labels, ids, frozenset(row.id for row in order[:most_rows]), left_out)


def _answered(row: Chat, answer: str) -> Chat:
    return replace(row, messages=(*row.prompt, Message("assistant", answer)))


def label_facts(
    decoder: Decoder, wanted: Weighing, rows: Sequence[Chat], prompts: Sequence[Sequence[int]]
) -> list[dict[str, Any]]:
    """For each row that is weighed its likeliest label and its confidence: the share of that label in the probability
    of all labels, to one per cent. Empty for the other rows, and where prompt and label exceed the context.
    """
    longest = max(map(len, wanted.label_ids), default=0)
    asked = [
        place
        for place, (row, prompt) in enumerate(zip(rows, prompts, strict=True))
        if row.id in wanted.rows and len(prompt) + longest <= decoder.config.context
    ]
    facts: list[dict[str, Any]] = [{} for _ in rows]
    found = label_logprobs(decoder, [tuple(prompts[place]) for place in asked], wanted.label_ids)
    for place, logprobs in zip(asked, found, strict=True):
        best = max(logprobs, key=lambda label: logprobs[label])
        confidence = float(np.exp(logprobs[best] - np.logaddexp.reduce(list(logprobs.values()))))
        facts[place] = {"label": wanted.labels[best], "confidence": confidence}
    return facts


def label_logprobs(
    decoder: Decoder, prompts: Sequence[tuple[int, ...]], label_ids: Sequence[tuple[int, ...]]
) -> list[dict[int, float]]:
    """For each prompt the log-probability of the labels that matter, by their number: those that are left out hold
    together at most a hundredth of these.

    A label is no likelier than its first token, so those with the likeliest first token are asked first, then twice as
    many, until no more than that can be left.
    """
    by_first: dict[int, list[int]] = {}
    for label, ids in enumerate(label_ids):
        by_first.setdefault(ids[0], []).append(label)
    firsts = list(by_first)
    heads = score_choices(decoder, [Choices(prompt, tuple((token,) for token in firsts)) for prompt in prompts])
    orders = [sorted(range(len(firsts)), key=lambda place: -head[place]) for head in heads]
    known: list[dict[int, float]] = [{} for _ in prompts]
    left, start, end = list(range(len(prompts))), 0, 1
    while left and start < len(firsts):
        labels = [[label for at in orders[one][start:end] for label in by_first[firsts[at]]] for one in left]
        asked = [
            Choices(prompts[one], tuple(label_ids[label] for label in own))
            for one, own in zip(left, labels, strict=True)
        ]
        for one, own, logprobs in zip(left, labels, score_choices(decoder, asked), strict=True):
            known[one] |= dict(zip(own, logprobs, strict=True))
        start, end = end, 3 * end
        left = [one for one in left if _may_miss([heads[one][at] for at in orders[one][start:]], known[one])]
    return known


def _may_miss(unasked: Sequence[float], known: dict[int, float]) -> bool:
    """Whether the labels behind these first tokens may hold more than a hundredth of what is known."""
    most, least = (np.logaddexp.reduce(list(values)) for values in (unasked or [-np.inf], known.values()))
    return bool(most > least + np.log(MISSED))
