"""What the trained model answers, token by token: the reference that every exported form is held against.

Names: L tokens of an answer, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from transformers import PreTrainedModel

from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant

TOP = 32  # how many of the likeliest tokens are compared at each place

# The likeliest tokens at one place, best first, with their natural log-probabilities.
Place: TypeAlias = tuple[tuple[int, float], ...]
# (prompt, answer) → a place for each token of the answer: what the model would have said there.
Score: TypeAlias = Callable[[Sequence[int], Sequence[int]], list[Place]]


@dataclass(frozen=True)
class Answer:
    """A greedy answer. `tokens` end with the stop token where the model stopped by itself."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    stopped: bool
    places: tuple[Place, ...]

    @property
    def spoken(self) -> tuple[int, ...]:
        """The tokens without the stop token."""
        return self.tokens[:-1] if self.stopped else self.tokens

    def logprob(self, index: int) -> float:
        """Of the token at `index`."""
        return logprob_of(self.places[index], self.tokens[index])

    def gap(self, index: int) -> float:
        """By how much the likeliest token at `index` leads the next one, in nats."""
        return self.places[index][0][1] - self.places[index][1][1]


def logprob_of(place: Place, token: int) -> float:
    """Of one token; for one that is not among the likeliest, the least of those: it has at most that."""
    return dict(place).get(token, place[-1][1])


def reference_answers(
    decoder: Decoder, prompts: Sequence[Sequence[int]], stop_ids: Collection[int], max_new_tokens: int
) -> list[Answer]:
    """Greedy answers of the trained model to prompts of token ids."""
    requests = [Request(tuple(prompt), max_new_tokens) for prompt in prompts]
    completions = generate(decoder, requests, stop_ids=stop_ids)
    score = decoder_score(decoder)
    answers = []
    for prompt, completion in zip(prompts, completions, strict=True):
        seen = score(prompt, (*completion.tokens, 0))  # one place more: where the stop token stands
        ended = (seen[-1][0][0],) if completion.stopped else ()
        tokens = (*completion.tokens, *ended)
        answers.append(Answer(tuple(prompt), tokens, completion.stopped, tuple(seen[: len(tokens)])))
    return answers


def scored_by(answers: Sequence[Answer], score: Score) -> list[list[Place]]:
    """The places of all answers as another model sees them."""
    return [score(answer.prompt, answer.tokens) for answer in answers]


def decoder_score(decoder: Decoder) -> Score:
    """Scores by Burnish's own decoder."""

    @torch.no_grad()
    def score(prompt: Sequence[int], answer: Sequence[int]) -> list[Place]:
        read = [*prompt, *answer[:-1]]
        forest = plant([Segment(read, [0.0] * len(read))]).to(decoder.device)
        return places(decoder.logits(decoder.hidden(forest)[len(prompt) - 1 :]))

    return score


def transformers_score(model: PreTrainedModel) -> Score:
    """Scores by a model of transformers, or one that peft has wrapped."""

    @torch.no_grad()
    def score(prompt: Sequence[int], answer: Sequence[int]) -> list[Place]:
        read = torch.tensor([[*prompt, *answer[:-1]]], device=model.device)
        # Counted from the end: before the text there may be learnt places, which peft gives logits for.
        return places(model(input_ids=read).logits[0, -max(len(answer), 1) :].float())

    return score


def places(logits_L_V: Tensor) -> list[Place]:
    """The likeliest tokens at each place. NaN stays NaN, which no comparison passes."""
    values, ids = logits_L_V.log_softmax(-1).topk(min(TOP, logits_L_V.shape[-1]), dim=-1)
    pairs = zip(ids.tolist(), values.tolist(), strict=True)
    return [tuple(zip(token_ids, logprobs, strict=True)) for token_ids, logprobs in pairs]
