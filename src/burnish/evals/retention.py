"""Asks base and tuned the suites of the memory check: what did training cost?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerFast

from burnish.core.records import Item, Message
from burnish.evals.arms import ArmName, Decoding, Progress, answers
from burnish.evals.memory_suite import MemorySuite, choice_scores
from burnish.evals.refusals import weigh_wishes
from burnish.evals.retention_settings import RetentionSettings
from burnish.evals.suite_file import chance_of, read_suite
from burnish.evals.suites import SHORT, Instruction, Passage, Question, SuiteItem, Wish, shipped, short_part
from burnish.generate.score import Choices, parted, score_choices, text_loss
from burnish.graders.constraints import grade_constraints
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

ANSWER_TOKENS = 64  # what the instructions ask for is shorter
LEAST_RIGHT = 0.1  # a base that refuses, or complies, in fewer cases than this has nothing to lose there


def memory_suites(settings: RetentionSettings, renderer: Renderer) -> list[MemorySuite]:
    """What the recipe asks for, in the order of the verdict.

    Raises DataError: a file of the user's is no suite; MissingTool: lm-eval is wanted and not installed.
    """
    found = []
    for name in settings.suites:
        items = shipped(name)
        items = short_part(items, SHORT[name]) if settings.size == "short" else items
        found.append(_suite(renderer, name, items, None))
    found += [_suite(renderer, one.suite, read_suite(Path(one.file)), one.margin) for one in settings.extra]
    if settings.lm_eval:
        from burnish.evals.lm_eval_suite import lm_eval_suite  # the package is optional

        found += [lm_eval_suite(task, renderer) for task in settings.lm_eval]
    return found


def _suite(renderer: Renderer, name: str, items: list[SuiteItem], margin: float | None) -> MemorySuite:
    """A suite of items of one sort, with what the judge needs to know of it: the score that decides, the tolerated loss
    (None: the default), the rate of right answers without knowledge.
    """
    sort = type(items[0])
    metric, chance = {
        Question: ("logprob_margin", chance_of(items)),
        Instruction: ("followed", 0.0),
        Wish: ("logprob_margin", LEAST_RIGHT),
        Passage: ("loss", None),
    }[sort]
    plan = {"metric": metric, "higher_is_better": sort is not Passage, "margin": margin, "chance": chance}

    def answer(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        if sort is Question:
            return choose_continuations(decoder, renderer, name, arm, rows)
        if sort is Wish:
            return weigh_wishes(decoder, renderer, name, arm, rows)
        if sort is Instruction:
            return follow_instructions(decoder, renderer, name, arm, rows, progress)
        return read_passages(decoder, renderer, name, arm, rows)

    return MemorySuite(name, items, plan, answer)


def choose_continuations(
    decoder: Decoder, renderer: Renderer, suite: str, arm: ArmName, questions: Sequence[Question]
) -> list[Item]:
    """Which choice goes on with the sentence, as plain text. The scores are those of `choice_scores`."""
    asked = [as_choices(renderer.tokenizer, question) for question in questions]
    items = []
    for question, logprobs in zip(questions, score_choices(decoder, asked), strict=True):
        output, expected = question.choices[int(np.argmax(logprobs))], question.choices[question.answer]
        scores = choice_scores(logprobs, question.answer)
        items.append(Item(suite, question.id, arm, question.prompt, expected, output, scores))
    return items


def as_choices(tokenizer: PreTrainedTokenizerFast, question: Question) -> Choices:
    """Each choice is tokenised together with the sentence."""
    return parted([plain_ids(tokenizer, f"{question.prompt} {choice}") for choice in question.choices])


def plain_ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Ids of running text: with the token for the beginning where the tokenizer adds one, without one for the end."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=True)
    if len(ids) > 1 and ids[-1] in (tokenizer.eos_token_id, tokenizer.sep_token_id):
        return ids[:-1]
    return ids


def follow_instructions(
    decoder: Decoder, renderer: Renderer, suite: str, arm: ArmName, wishes: Sequence[Instruction], progress: Progress
) -> list[Item]:
    """Greedy answers in the chat; `followed`: whether all checks hold."""
    prompts = [renderer.prompt([Message("user", wish.prompt)]) for wish in wishes]
    outputs = answers(decoder, renderer, prompts, Decoding(ANSWER_TOKENS, renderer.stop_ids), progress)
    return [
        Item(
            suite,
            wish.id,
            arm,
            wish.prompt,
            wish.expected,
            output.text,
            grade_constraints(output.text, wish.expected),
            facts=output.facts,
        )
        for wish, output in zip(wishes, outputs, strict=True)
    ]


def read_passages(
    decoder: Decoder, renderer: Renderer, suite: str, arm: ArmName, passages: Sequence[Passage]
) -> list[Item]:
    """`loss` of plain text, in nats a token; of a passage longer than the context its beginning is read."""
    texts = [plain_ids(renderer.tokenizer, passage.text)[: decoder.config.context] for passage in passages]
    losses = text_loss(decoder, texts)
    return [
        Item(suite, passage.id, arm, passage.text, None, "", {"loss": nats / max(tokens, 1)})
        for passage, (nats, tokens) in zip(passages, losses, strict=True)
    ]
