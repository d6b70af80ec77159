"""The task of preference data: does the model find the chosen answer likelier than the rejected one?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from burnish.core.records import Chat, Item, Pair
from burnish.evals.answer_ids import answer_ids
from burnish.evals.arms import ArmName
from burnish.evals.prompts import Candidate, PromptMaker
from burnish.evals.task import Task
from burnish.evals.task_data import TaskData
from burnish.generate.score import Choices, score_choices
from burnish.model.decoder import Decoder

METRIC = "preference"
GIVEN = Candidate(0, wording="given")  # the user's own instructions: nothing is generated that could choose better ones


def compare_answers(decoder: Decoder, task: Task, arm: ArmName, rows: Sequence[Pair]) -> list[Item]:
    """One item a pair; its output is the answer that is likelier, summed over its tokens and its end.

    `preference`: 1 where that is the chosen one. `logprob_margin`: log p(chosen) - log p(rejected), in nats.
    Where prompt and answer exceed the context, the prompt's beginning is cut.
    """
    items = []
    for row, (chosen, rejected) in zip(rows, score_choices(decoder, _choices(decoder, task, arm, rows)), strict=True):
        scores = {METRIC: float(chosen > rejected), "logprob_margin": chosen - rejected}
        likelier = row.chosen if chosen > rejected else row.rejected
        prompt, facts = ending(row, row.chosen).prompt_text, {"columns": dict(row.meta)} if row.meta else {}
        items.append(Item("task", row.id, arm, prompt, row.chosen, likelier, scores, facts=facts))
    return items


def _choices(decoder: Decoder, task: Task, arm: ArmName, rows: Sequence[Pair]) -> list[Choices]:
    asked = []
    for row in rows:
        ends = [ending(row, answer) for answer in (row.chosen, row.rejected)]
        answers = tuple(tuple(answer_ids(task.renderer, end)) for end in ends)
        room = decoder.config.context - max(map(len, answers))
        asked.append(Choices(tuple(task.prompt(arm, ends[0])[-room:]), answers))
    return asked


def ending(row: Pair, answer: str) -> Chat:
    """The conversation with one of the two answers."""
    return Chat(row.id, row.answered(answer), row.source, row.group)


def instructed_json(maker: PromptMaker, data: TaskData) -> dict[str, Any]:
    """For arms.json: the opponent that reads the user's instructions before each prompt."""
    first = maker.prompt(GIVEN, ending(data.pairs[0], data.pairs[0].chosen))
    return {
        "instructions": maker.wordings[GIVEN.wording],
        "examples": 0,
        "strategy": GIVEN.strategy,
        "winner": GIVEN.to_json(),
        "chosen_on_dev": [],
        "prompt": maker.renderer.tokenizer.decode(first, skip_special_tokens=False),
    }
