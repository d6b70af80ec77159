"""Asks base and tuned the shipped suites: what did training cost?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerFast

from burnish.core.records import Item, Message
from burnish.evals import suites
from burnish.evals.arms import ArmName, Decoding, Progress, answers
from burnish.evals.suites import SHORT, Instruction, Passage, Question, SuiteItem, SuiteName, short_part
from burnish.generate.score import Choices, score_choices, text_loss
from burnish.graders.constraints import grade_constraints
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

ANSWER_TOKENS = 64  # what the instructions ask for is shorter

# What the judge needs to know of each suite. margin None: the metric's own default. chance: the rate of right answers
# without knowledge; floor: a rate below which a base model counts as not able at all.
PLANS: Mapping[SuiteName, Mapping[str, Any]] = {
    "knowledge": {"metric": "logprob_margin", "higher_is_better": True, "margin": None, "chance": 0.25},
    "instructions": {"metric": "followed", "higher_is_better": True, "margin": None, "chance": 0.0, "floor": 0.05},
    "general_text": {"metric": "loss", "higher_is_better": False, "margin": None, "chance": None},
}


def retention_suites(how_much: str) -> dict[SuiteName, list[SuiteItem]]:
    """All items, the short part of each suite, or no suite: `auto`, `short`, `off`."""
    if how_much == "off":
        return {}
    whole: dict[SuiteName, list[SuiteItem]] = {
        "knowledge": [*suites.knowledge()],
        "instructions": [*suites.instructions()],
        "general_text": [*suites.general_text()],
    }
    return {name: short_part(items, SHORT[name]) if how_much == "short" else items for name, items in whole.items()}


def ask_suite(renderer: Renderer, name: SuiteName) -> Callable[[Decoder, ArmName, Sequence[Any], Progress], list[Item]]:
    """How items of this suite are answered: one item each, in their order."""

    def ask(decoder: Decoder, arm: ArmName, items: Sequence[Any], progress: Progress) -> list[Item]:
        if name == "knowledge":
            return choose_continuations(decoder, renderer, arm, items)
        if name == "instructions":
            return follow_instructions(decoder, renderer, arm, items, progress)
        return read_passages(decoder, renderer, arm, items)

    return ask


def choose_continuations(
    decoder: Decoder, renderer: Renderer, arm: ArmName, questions: Sequence[Question]
) -> list[Item]:
    """Which choice goes on with the sentence, as plain text.

    `logprob_margin`: log p(right) - log Σ p(others), in nats; 0 where right and all others together are as likely.
    `correct`: whether no other choice is as likely as the right one.
    """
    asked = [_as_choices(renderer.tokenizer, question) for question in questions]
    items = []
    for question, logprobs in zip(questions, score_choices(decoder, asked), strict=True):
        others = [logprob for place, logprob in enumerate(logprobs) if place != question.answer]
        right = logprobs[question.answer]
        scores = {
            "logprob_margin": right - float(np.logaddexp.reduce(others)),
            "correct": float(right > max(others)),
        }
        output = question.choices[int(np.argmax(logprobs))]
        items.append(
            Item("knowledge", question.id, arm, question.prompt, question.choices[question.answer], output, scores)
        )
    return items


def _as_choices(tokenizer: PreTrainedTokenizerFast, question: Question) -> Choices:
    """Each choice is tokenised together with the sentence; what all four share counts the same for each."""
    whole = [plain_ids(tokenizer, f"{question.prompt} {choice}") for choice in question.choices]
    shared = min(map(len, whole)) - 1
    shared = next((at for at in range(shared) if len({ids[at] for ids in whole}) > 1), shared)
    return Choices(tuple(whole[0][:shared]), tuple(tuple(ids[shared:]) for ids in whole))


def plain_ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Ids of running text: with the token for the beginning where the tokenizer adds one, without one for the end."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=True)
    if len(ids) > 1 and ids[-1] in (tokenizer.eos_token_id, tokenizer.sep_token_id):
        return ids[:-1]
    return ids


def follow_instructions(
    decoder: Decoder, renderer: Renderer, arm: ArmName, wishes: Sequence[Instruction], progress: Progress
) -> list[Item]:
    """Greedy answers in the chat; `followed`: whether all checks hold."""
    prompts = [renderer.prompt([Message("user", wish.prompt)]) for wish in wishes]
    outputs = answers(decoder, renderer, prompts, Decoding(ANSWER_TOKENS, renderer.stop_ids), progress)
    return [
        Item(
            "instructions",
            wish.id,
            arm,
            wish.prompt,
            wish.expected,
            output.text,
            grade_constraints(output.text, wish.expected),
            output.facts,
        )
        for wish, output in zip(wishes, outputs, strict=True)
    ]


def read_passages(decoder: Decoder, renderer: Renderer, arm: ArmName, passages: Sequence[Passage]) -> list[Item]:
    """`loss` of plain text, in nats a token; of a passage longer than the context its beginning is read."""
    texts = [plain_ids(renderer.tokenizer, passage.text)[: decoder.config.context] for passage in passages]
    losses = text_loss(decoder, texts)
    return [
        Item("general_text", passage.id, arm, passage.text, None, "", {"loss": nats / tokens})
        for passage, (nats, tokens) in zip(passages, losses, strict=True)
    ]
