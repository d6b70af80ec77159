"""The user's own test rows: every arm answers the same ones, and a grader compares with the expected answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from burnish.core.records import Chat, Item, Sample, Text
from burnish.evals.arms import ArmName, Decoding, Progress, answers, sampled_answers
from burnish.evals.prompts import Candidate, PromptMaker
from burnish.generate.score import Choices, score_choices, text_loss
from burnish.graders.registry import Grader
from burnish.graders.settings import NamedMetric
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

WITH_LOSS = (
    "text",
    "bleu",
    "rouge",
    "loss",
    "judge",
)  # wording may differ and be right: the loss shows what a text cannot


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
        items = [Item(SUITE, row.id, arm, row.prompt_text, row.answer, "", {}) for row in rows]
    elif task.decoding.temperature:
        seeds = [task.decoding.seeds(SUITE, row.id) for row in rows]
        drawn = sampled_answers(decoder, task.renderer, prompts, seeds, task.decoding, progress)
        items = [graded(task, arm, row, outputs) for row, outputs in zip(rows, drawn, strict=True)]
    else:
        outputs = answers(decoder, task.renderer, prompts, task.decoding, progress)
        items = [graded(task, arm, row, [output]) for row, output in zip(rows, outputs, strict=True)]
    if task.metric.type in WITH_LOSS and task.with_loss:
        losses = answer_losses(decoder, task.renderer, prompts, rows)
        pairs = zip(items, losses, strict=True)
        items = [replace(item, scores={**item.scores, "answer_loss": loss}) for item, loss in pairs]
    return items


def graded(task: Task, arm: ArmName, row: Chat, outputs: Sequence[str]) -> Item:
    """The item of a row from its answers: of several the first is shown, and the scores are their means."""
    samples = [Sample(output, task.grade(output, row)) for output in outputs]
    first = samples[0]
    shared = [name for name in first.scores if all(name in sample.scores for sample in samples)]
    means = {name: fmean(sample.scores[name] for sample in samples) for name in shared}
    several = len(samples) > 1
    scores, kept = (means, tuple(samples)) if several else (first.scores, ())
    return Item(SUITE, row.id, arm, row.prompt_text, row.answer, first.output, scores, kept)


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


def answer_ids(renderer: Renderer, row: Chat) -> list[int]:
    """The ids of the last turn that training learns, its end included: those after the last id of another message."""
    rendered = renderer.row(row)
    last = len(row.messages) - 1
    return [
        token
        for token, weight, message in zip(rendered.ids, rendered.weights, rendered.message_T, strict=True)
        if weight and message == last
    ]


def read_texts(decoder: Decoder, renderer: Renderer, arm: ArmName, rows: Sequence[Text]) -> list[Item]:
    """Plain text is not answered but read: one item a row with its loss in nats a token."""
    losses = text_loss(decoder, [tuple(renderer.row(row).ids) for row in rows])
    return [
        Item("task", row.id, arm, row.text, None, "", {"loss": nats / max(tokens, 1)})
        for row, (nats, tokens) in zip(rows, losses, strict=True)
    ]
