"""The user's own test rows: every arm answers the same ones, and a grader compares with the expected answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from burnish.core.records import Chat, Item, Sample, Text
from burnish.evals.answer_ids import answer_ids
from burnish.evals.arms import Answer, ArmName, Decoding, Progress, answers, sampled_answers
from burnish.evals.label_confidence import NOTHING, Weighing, label_facts
from burnish.evals.prompts import Candidate, PromptMaker
from burnish.evals.sampling import mean_scores
from burnish.generate.score import Choices, score_choices, text_loss
from burnish.graders.registry import Grader
from burnish.graders.settings import NamedMetric
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

# Wording may differ and be right: the loss shows what a text cannot.
WITH_LOSS = ("text", "bleu", "rouge", "loss", "judge")
SUITE = "task"


@dataclass(frozen=True)
class Task:
    """How one arm is asked and graded. base and tuned read the row's prompt as it is, which is what training showed;
    with a `winner` the arm reads what `maker` makes of it by that candidate, which did best on dev.

    `longest`: most tokens of a prompt, whose beginning is cut then; None where the rows were chosen to fit the model.
    """

    metric: NamedMetric
    grade: Grader
    renderer: Renderer
    decoding: Decoding
    maker: PromptMaker
    winner: Candidate | None
    longest: int | None = None
    with_loss: bool = True  # False where another tokenizer counts other tokens
    weighed: Weighing = NOTHING

    def prompt(self, arm: ArmName, row: Chat) -> list[int]:
        """Token ids up to the answer."""
        if self.winner is not None:
            ids = self.maker.prompt(self.winner, row)
        else:
            ids = self.renderer.prompt(row.prompt, row.tools)
        return ids if self.longest is None else ids[-self.longest :]


def answer_rows(decoder: Decoder, task: Task, arm: ArmName, rows: Sequence[Chat], progress: Progress) -> list[Item]:
    """One item a row: the answer and its scores; for free text also the loss of the expected answer (nats a token).

    Where that loss is the metric, nothing is answered. At a temperature above 0 several answers are drawn for a row.
    """
    prompts = [task.prompt(arm, row) for row in rows]
    if task.metric.type == "loss":
        items = [Item(SUITE, row.id, arm, row.prompt_text, row.answer, "", facts=_facts(row)) for row in rows]
    else:
        said = _said(decoder, task, rows, prompts, progress)
        asked = NOTHING if arm == task.weighed.left_out else task.weighed
        told = label_facts(decoder, asked, rows, prompts)
        items = [graded(task, arm, row, one, facts) for row, one, facts in zip(rows, said, told, strict=True)]
    if task.metric.type in WITH_LOSS and task.with_loss:
        losses = answer_losses(decoder, task.renderer, prompts, rows)
        pairs = zip(items, losses, strict=True)
        items = [replace(item, scores={**item.scores, "answer_loss": loss}) for item, loss in pairs]
    return items


def _said(
    decoder: Decoder, task: Task, rows: Sequence[Chat], prompts: Sequence[Sequence[int]], progress: Progress
) -> list[list[Answer]]:
    """The answers to each row: one, or as many as are drawn."""
    if not task.decoding.temperature:
        return [[one] for one in answers(decoder, task.renderer, prompts, task.decoding, progress)]
    seeds = [task.decoding.seeds(SUITE, row.id) for row in rows]
    return sampled_answers(decoder, task.renderer, prompts, seeds, task.decoding, progress)


def graded(task: Task, arm: ArmName, row: Chat, said: Sequence[Answer], told: Mapping[str, Any] | None = None) -> Item:
    """The item of a row from its answers: of several the first is shown, and the scores are their means. `told` is
    further known of it."""
    samples = tuple(Sample(one.text, task.grade(one.text, row)) for one in said)
    facts = {**said[0].facts, **(told or {}), **_facts(row)}
    kept = samples if len(samples) > 1 else ()
    output, scores = samples[0].output, mean_scores(samples)
    return Item(SUITE, row.id, arm, row.prompt_text, row.answer, output, scores, facts, kept)


def _facts(row: Chat | Text) -> dict[str, Any]:
    """The columns that the verdict groups by."""
    return {"columns": dict(row.meta)} if row.meta else {}


def answer_losses(
    decoder: Decoder, renderer: Renderer, prompts: Sequence[Sequence[int]], rows: Sequence[Chat]
) -> list[float]:
    """Mean loss of the expected answer's tokens after each prompt, its end included, in nats a token.

    Where prompt and answer exceed the context, the prompt's beginning is cut.
    """
    wanted = [answer_ids(renderer, row) for row in rows]
    asked = [
        Choices(tuple(prompt[-(decoder.config.context - len(ids)) :]), (tuple(ids),))
        for prompt, ids in zip(prompts, wanted, strict=True)
    ]
    return [-logprobs[0] / len(ids) for logprobs, ids in zip(score_choices(decoder, asked), wanted, strict=True)]


def read_texts(decoder: Decoder, renderer: Renderer, arm: ArmName, rows: Sequence[Text]) -> list[Item]:
    """Plain text is not answered but read: one item a row with its loss in nats a token."""
    losses = text_loss(decoder, [tuple(renderer.row(row).ids) for row in rows])
    return [
        Item("task", row.id, arm, row.text, None, "", {"loss": nats / max(tokens, 1)}, facts=_facts(row))
        for row, (nats, tokens) in zip(rows, losses, strict=True)
    ]
