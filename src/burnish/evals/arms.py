"""The arms of a comparison: whose weights, and how their prompt is made. All answer under one decoding rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from burnish.core.records import Chat
from burnish.generate.engine import Request, generate
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

ArmName: TypeAlias = Literal["base", "prompted", "tuned"]
Progress: TypeAlias = Callable[[int], None]


@dataclass(frozen=True)
class Models:
    """Base and tuned may be one network with its adapter off and on, or two."""

    base: Callable[[], AbstractContextManager[Decoder]]
    tuned: Callable[[], AbstractContextManager[Decoder]]

    def of(self, arm: str) -> AbstractContextManager[Decoder]:
        """The weights behind an arm: `prompted` is the base model too."""
        return self.tuned() if arm == "tuned" else self.base()


@dataclass(frozen=True)
class Decoding:
    """Greedy, the same for all arms."""

    max_new_tokens: int
    stop_ids: frozenset[int]

    def to_json(self) -> dict[str, Any]:
        return {"temperature": 0, "max_new_tokens": self.max_new_tokens, "stop": sorted(self.stop_ids)}


def answer_room(train: Sequence[Chat], renderer: Renderer, context: int) -> int:
    """Longest answer in tokens: half more than 99 of 100 answers in train, and 16; at most half the context."""
    lengths = sorted(len(renderer.tokenizer.encode(row.answer, add_special_tokens=False)) for row in train)
    usual = lengths[min(len(lengths) - 1, (99 * len(lengths)) // 100)] if lengths else 64
    return min(int(1.5 * usual) + 16, max(context // 2, 16))


@dataclass(frozen=True)
class Answer:
    """What an arm said. `stopped`: it ended by itself, not by the limit of tokens."""

    text: str
    tokens: int
    stopped: bool

    @property
    def facts(self) -> dict[str, Any]:
        """For the item."""
        return {"tokens": self.tokens, "stopped": self.stopped}


def answers(
    decoder: Decoder,
    renderer: Renderer,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    progress: Progress | None,
) -> list[Answer]:
    """What follows each prompt. A prompt near the end of the model's context gets a shorter answer."""
    room = decoder.config.context
    requests = [Request(tuple(ids), max(min(decoding.max_new_tokens, room - len(ids)), 0)) for ids in prompts]
    completions = generate(decoder, requests, stop_ids=decoding.stop_ids, progress=progress)
    return [Answer(renderer.decode(one.tokens), len(one.tokens), one.stopped) for one in completions]
