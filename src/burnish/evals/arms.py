"""The arms of a comparison: whose weights, and how their prompt is made. All answer under one decoding rule."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from burnish.core.records import Chat
from burnish.generate.engine import generate
from burnish.generate.request import Completion, Request
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

ArmName: TypeAlias = str  # base, prompted, tuned, or what evals/opponent_settings.py calls an opponent
Progress: TypeAlias = Callable[[int], None]
TUNED, BASE = "tuned", "base"
SEEDS = 2**31  # servers take no larger one


def _nothing() -> None:
    """Where base and tuned are held by somebody else."""


@dataclass(frozen=True)
class Models:
    """Base and tuned may be one network with its adapter off and on, or two.

    `others` are opponents with weights of their own by their arm; what opens is handed to the arm's own way of
    answering. `release` frees base and tuned, so that no two models are in memory together.
    """

    base: Callable[[], AbstractContextManager[Decoder]]
    tuned: Callable[[], AbstractContextManager[Decoder]]
    others: Mapping[str, Callable[[], AbstractContextManager[Any]]] = field(default_factory=dict)
    release: Callable[[], None] = _nothing

    def weights(self, arm: str) -> str:
        """Arms of one name have the same weights: the base model's however it is prompted."""
        return arm if arm == TUNED or arm in self.others else BASE

    def of(self, arm: str) -> AbstractContextManager[Any]:
        """The weights behind an arm."""
        if arm in self.others:
            self.release()
            return self.others[arm]()
        return self.tuned() if arm == TUNED else self.base()


@dataclass(frozen=True)
class Decoding:
    """The same for all arms: the likeliest answer, or `samples` drawn ones for each row at a temperature above 0."""

    max_new_tokens: int
    stop_ids: frozenset[int]
    temperature: float = 0.0
    samples: int = 1
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        drawn = {"samples": self.samples, "seed": self.seed} if self.temperature else {}
        return {
            "temperature": self.temperature,
            "max_new_tokens": self.max_new_tokens,
            "stop": sorted(self.stop_ids),
            **drawn,
        }

    def seeds(self, suite: str, item: str) -> list[int]:
        """A seed for each sample of an item, the same for every arm, in any batch and order."""
        return [sample_seed(self.seed, suite, item, sample) for sample in range(self.samples)]


def sample_seed(seed: int, suite: str, item: str, sample: int) -> int:
    """A number below 2³¹ from a hash of all four."""
    name = "\0".join((str(seed), suite, item, str(sample)))
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big") % SEEDS


def answer_room(train: Sequence[Chat], renderer: Renderer, context: int) -> int:
    """Longest answer in tokens: half more than 99 of 100 answers in train, and 16; at most half the context."""
    lengths = sorted(len(renderer.tokenizer.encode(row.answer, add_special_tokens=False)) for row in train)
    usual = lengths[min(len(lengths) - 1, (99 * len(lengths)) // 100)] if lengths else 64
    return min(int(1.5 * usual) + 16, max(context // 2, 16))


@dataclass(frozen=True)
class Answer:
    """What an arm said. `stopped`: it ended by itself, not by the limit of tokens. `tokens` None: nobody counted
    them, as of a server.
    """

    text: str
    tokens: int | None
    stopped: bool

    @property
    def facts(self) -> dict[str, Any]:
        """For the item."""
        return {} if self.tokens is None else {"tokens": self.tokens, "stopped": self.stopped}


def answers(
    decoder: Decoder,
    renderer: Renderer,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    progress: Progress | None,
) -> list[Answer]:
    """The likeliest text after each prompt. One near the end of the model's context gets a shorter answer."""
    requests = [Request(tuple(ids), _room(decoder, ids, decoding)) for ids in prompts]
    completions = generate(decoder, requests, stop_ids=decoding.stop_ids, progress=progress)
    return [_answer(renderer, one) for one in completions]


def sampled_answers(
    decoder: Decoder,
    renderer: Renderer,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[Sequence[int]],
    decoding: Decoding,
    progress: Progress | None,
) -> list[list[Answer]]:
    """For each prompt one answer a seed, drawn at the temperature of `decoding`; the prompt is computed once."""
    requests = [
        Request(tuple(ids), _room(decoder, ids, decoding), decoding.temperature, seed)
        for ids, own in zip(prompts, seeds, strict=True)
        for seed in own
    ]
    told = None if progress is None else _in_rows(progress, decoding.samples)
    drawn = iter(generate(decoder, requests, stop_ids=decoding.stop_ids, progress=told))
    return [[_answer(renderer, next(drawn)) for _ in own] for own in seeds]


def _answer(renderer: Renderer, one: Completion) -> Answer:
    return Answer(renderer.decode(one.tokens), len(one.tokens), one.stopped)


def _room(decoder: Decoder, prompt: Sequence[int], decoding: Decoding) -> int:
    return max(min(decoding.max_new_tokens, decoder.config.context - len(prompt)), 0)


def _in_rows(progress: Progress, samples: int) -> Progress:
    """Counts rows where answers are counted."""
    return lambda count: progress(count // samples)
