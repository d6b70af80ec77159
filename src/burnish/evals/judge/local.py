"""A model on this machine as the judge. It never writes: the likeliest of three letters is its choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from burnish.core.records import Message
from burnish.evals.judge.asking import CHOICES, Judge, Reply
from burnish.evals.judge.prompt import LETTERS
from burnish.generate.score import Choices, score_choices
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer


def local_judge(name: str, sha256: str, load: Callable[[], tuple[Decoder, Renderer]]) -> Judge:
    """Takes the letter that is likeliest after the prompt. `load` reads the model when it is first asked."""
    loaded = cache(load)

    def ask(asked: Sequence[tuple[Message, ...]]) -> Iterator[Reply]:
        decoder, renderer = loaded()
        prompts = [tuple(renderer.prompt(messages)) for messages in asked]
        letters = tuple(tuple(renderer.tokenizer.encode(letter, add_special_tokens=False)) for letter in LETTERS)
        room = decoder.config.context - max(map(len, letters))
        scored = iter(score_choices(decoder, [Choices(ids, letters) for ids in prompts if len(ids) <= room]))
        for ids in prompts:
            yield weighed(next(scored)) if len(ids) <= room else Reply(f"too long: {len(ids)} tokens", None)

    return Judge({"name": name, "sha256": sha256}, ask)


def weighed(logprobs: Sequence[float]) -> Reply:
    """The choice with the highest log-probability; equal ones are a tie."""
    best = max(logprobs)
    likeliest = [choice for choice, logprob in zip(CHOICES, logprobs, strict=True) if logprob == best]
    return Reply("", likeliest[0] if len(likeliest) == 1 else "tie", tuple(round(one, 6) for one in logprobs))
