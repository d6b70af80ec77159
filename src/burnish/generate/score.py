"""Log-probabilities of given texts: choices after a prompt, and running text. Prompts are computed once.

Names: T tokens, N targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from burnish.core.errors import DataError
from burnish.generate.cache import Run, new_store
from burnish.generate.forward import run_pass, run_starts
from burnish.generate.prefixes import Prefixes, find_prefixes
from burnish.model.decoder import Decoder
from burnish.model.logprobs import target_logprobs


@dataclass(frozen=True)
class Choices:
    """A prompt and what may follow it."""

    prompt: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Scored:
    """Tokens to be predicted one after the other, all from their run but the first one, if `before` is given."""

    tokens: Sequence[int]
    row: int
    run: Run | None
    before: Run | None = None


def score_choices(
    decoder: Decoder, questions: Sequence[Choices], *, tokens_per_pass: int = 2048
) -> list[list[float]]:
    """The log-probability, in nats, of each continuation of each question.

    Raises DataError: an empty prompt, or a question longer than the context.
    """
    for number, question in enumerate(questions):
        longest = max(map(len, question.continuations), default=0)
        _check(decoder, number, "question", question.prompt, len(question.prompt) + longest)
    prefixes = find_prefixes([question.prompt for question in questions])
    in_order = sorted(range(len(questions)), key=lambda number: (prefixes.paths[number], number))
    scores: list[list[float]] = [[0.0] * len(question.continuations) for question in questions]
    ...
    return scores
