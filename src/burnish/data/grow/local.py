"""A model on this machine as the one who answers. Whoever loads it hands over how it generates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from burnish.core.asking import Answer, Ask, Asked
from burnish.render.renderer import Renderer

# (prompt, request) of each → (generated tokens without the stop token, whether the model stopped by itself) of each.
Complete: TypeAlias = Callable[[Sequence[tuple[tuple[int, ...], Asked]]], Sequence[tuple[Sequence[int], bool]]]


@dataclass(frozen=True)
class Local:
    """A loaded model. `context`: tokens of prompt and answer together that it takes."""

    renderer: Renderer
    context: int
    complete: Complete


def local_asker(load: Callable[[], Local]) -> Ask:
    """`load` reads the model. It is called at the first request: a run whose answers are all kept reads none."""
    loaded = cache(load)

    def ask(asked: Sequence[Asked]) -> Iterator[Answer]:
        model = loaded()
        prompts = [tuple(model.renderer.prompt(one.messages)) for one in asked]
        needs = [len(prompt) + one.max_new_tokens for prompt, one in zip(prompts, asked, strict=True)]
        fit = [
            pair for pair, need in zip(zip(prompts, asked, strict=True), needs, strict=True) if need <= model.context
        ]
        completions = iter(model.complete(fit))
        for need in needs:
            if need > model.context:
                yield Answer("", refused=f"{need} tokens with the answer, where the model takes {model.context}")
            else:
                tokens, stopped = next(completions)
                yield Answer(model.renderer.decode(tokens), whole=stopped)

    return ask
