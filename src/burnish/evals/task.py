"""The user's own test rows: every arm answers the same ones, and a grader compares with the expected answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from burnish.core.records import Chat, Item, Text
from burnish.evals.answer_ids import answer_ids
from burnish.evals.arms import ArmName, Decoding, Progress, answers
from burnish.evals.label_confidence import NOTHING, Weighing, label_facts
from burnish.evals.prompts import Candidate, PromptMaker
from burnish.generate.score import Choices, score_choices, text_loss
from burnish.graders.registry import Grader
from burnish.graders.settings import NamedMetric
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

WITH_LOSS = ("text", "bleu", "rouge", "loss")  # wording may differ and be right: the loss shows what a text cannot


@dataclass(frozen=True)
class Task:
    """How rows are asked and graded. base and tuned read the row's prompt as it is, which is what training showed;
    prompted reads what `maker` makes of it by the candidate that won on dev.
    """

    metric: NamedMetric
    grade: Grader
    renderer: Renderer
    decoding: Decoding
    maker: PromptMaker
    winner: Candidate | None
    weighed: Weighing = NOTHING

    def prompt(self, arm: ArmName, row: Chat) -> list[int]:
        """Token ids up to the answer."""
        if arm == "prompted" and self.winner is not None:
            return self.maker.prompt(self.winner, row)
        return self.renderer.prompt(row.prompt, row.tools)


def answer_rows(decoder: Decoder, task: Task, arm: ArmName, rows: Sequence[Chat], progress: Progress) -> list[Item]:
    """One item a row: the answer and its scores; for free text also the loss of the expected answer (nats a token).

    Where that loss is the metric, nothing is answered.
    """
    prompts = [task.prompt(arm, row) for row in rows]
    if task.metric.type == "loss":
        outputs, scores, facts = [""] * len(rows), [dict[str, float]() for _ in rows], [_facts(row) for row in rows]
    else:
        said = answers(decoder, task.renderer, prompts, task.decoding, progress)
        outputs = [answer.text for answer in said]
        scores = [task.grade(output, row) for output, row in zip(outputs, rows, strict=True)]
        asked = NOTHING if arm == task.weighed.left_out else task.weighed
        weighed = label_facts(decoder, asked, rows, prompts)
        facts = [
            {**answer.facts, **label, **_facts(row)} for answer, label, row in zip(said, weighed, rows, strict=True)
        ]
    if task.metric.type in WITH_LOSS:
        for score, loss in zip(scores, answer_losses(decoder, task.renderer, prompts, rows), strict=True):
            score["answer_loss"] = loss
    return [
        Item("task", row.id, arm, row.prompt_text, row.answer, output, score, told)
        for row, output, score, told in zip(rows, outputs, scores, facts, strict=True)
    ]


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
        Item("task", row.id, arm, row.text, None, "", {"loss": nats / max(tokens, 1)}, _facts(row))
        for row, (nats, tokens) in zip(rows, losses, strict=True)
    ]
