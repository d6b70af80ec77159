"""From a prompt to its answers: n requests to the worker, their tokens written as text, pieces as they come."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from burnish.generate.request import Request
from burnish.server.api_error import ApiError
from burnish.server.catalog import Served
from burnish.server.guide import Guide
from burnish.server.metrics import Metrics
from burnish.server.wanted import Wanted
from burnish.server.worker import Worker
from burnish.server.writer import Piece, Writer

NEXT_SEED = 0x9E3779B97F4A7C15  # the answers to one request are drawn independently: seeds far apart


@dataclass(frozen=True)
class Question:
    """One prompt for one model, and how its answers are drawn. `top`: alternatives reported for each token."""

    served: Served
    prompt: tuple[int, ...]
    max_new_tokens: int
    temperature: float
    seed: int
    wanted: Wanted
    count: int = 1
    top: int = 0
    make_guide: Callable[[], Guide] | None = None


@dataclass
class Tally:
    """Tokens of a request's answers so far."""

    completion: int = 0
    first: float | None = None  # seconds to the first token


@dataclass(frozen=True)
class Asking:
    """What answering needs beside the question."""

    worker: Worker
    metrics: Metrics
    started: float = field(default_factory=time.monotonic)


def question(
    served: Served, prompt: list[int], wanted: Wanted, *, most: int | None, longest: int, top: int = 0,
    make_guide: Callable[[], Guide] | None = None,
) -> Question:  # fmt: skip
    """`most`: tokens of an answer that were asked for; else `longest`, or what the context has room for.

    Raises ApiError: it has no room for them, or a token is unknown.
    """
    context, vocab = served.seat.context, served.seat.decoder.tokens
    if not prompt:
        raise ApiError(400, "The prompt is empty.", param="prompt")
    if bad := next((token for token in prompt if token >= vocab), None):
        raise ApiError(400, f"Token {bad} is unknown to this model, which has {vocab}.", param="prompt")
    room = context - len(prompt)
    if room < 1 or (most is not None and most > room):
        asked = f" ({len(prompt)} in the messages, {most} in the completion)" if most else ""
        raise ApiError(
            400,
            f"This model's maximum context length is {context} tokens. However, you requested "
            f"{len(prompt) + (most or 1)} tokens{asked}. Please reduce the length of either one.",
            param="messages",
            code="context_length_exceeded",
        )
    _check_bias(wanted, vocab)
    return Question(
        served,
        tuple(prompt),
        min(room, longest) if most is None else most,
        served.temperature if wanted.temperature is None else wanted.temperature,
        secrets.randbits(63) if wanted.seed is None else wanted.seed,
        wanted,
        wanted.n or 1,
        top,
        make_guide,
    )


def check_characters(*texts: str, param: str) -> None:
    """Raises ApiError: there is half of a character in a text, which JSON can hold and no tokenizer reads."""
    try:
        for text in texts:
            text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ApiError(400, "The text holds half of a character.", param=param, code="invalid_value") from error


def _check_bias(wanted: Wanted, vocab: int) -> None:
    for token in wanted.logit_bias or ():
        if int(token) >= vocab:
            raise ApiError(
                400, f"Token {token} is unknown to this model, which has {vocab}.", param="logit_bias",
                code="invalid_value",
            )  # fmt: skip


def _request(asked: Question, number: int, guide: Guide | None) -> Request:
    wanted = asked.wanted
    return Request(
        prompt=asked.prompt,
        max_new_tokens=asked.max_new_tokens,
        temperature=asked.temperature,
        seed=(asked.seed + number * NEXT_SEED) % 2**64,
        top_p=1.0 if wanted.top_p is None else max(wanted.top_p, 1e-9),  # 0: the likeliest alone
        presence_penalty=wanted.presence_penalty or 0.0,
        frequency_penalty=wanted.frequency_penalty or 0.0,
        bias=tuple((int(token), value) for token, value in (wanted.logit_bias or {}).items()),
        top=asked.top,
        adapter=asked.served.adapter,
        guide=guide,
    )


async def answers(asking: Asking, questions: list[Question], tally: Tally) -> AsyncGenerator[tuple[int, Piece], None]:
    """Pieces of all answers as they come, each with the number of its answer. Leaving early cancels them.

    Raises ApiError: the server is full (429), or computing failed (500).
    """
    wanted = [(asked, number) for asked in questions for number in range(asked.count)]
    asking.worker.admit(len(wanted))
    inbox: asyncio.Queue[tuple[int, Piece] | BaseException] = asyncio.Queue()

    async def one(index: int, asked: Question, number: int) -> None:
        try:
            async with aclosing(_answer(asking, asked, number, tally)) as pieces:
                async for piece in pieces:
                    inbox.put_nowait((index, piece))
        except Exception as error:
            inbox.put_nowait(error)

    tasks = [asyncio.create_task(one(index, *of)) for index, of in enumerate(wanted)]
    try:
        left = len(tasks)
        while left:
            said = await inbox.get()
            if isinstance(said, BaseException):
                raise said
            left -= said[1].finish is not None
            yield said
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        asking.worker.release(len(tasks))


async def _answer(asking: Asking, asked: Question, number: int, tally: Tally) -> AsyncGenerator[Piece, None]:
    """One answer. Nothing is sent for a token that lets out no text, unless it ends the answer."""
    guide = asked.make_guide() if asked.make_guide else None
    writer = Writer(asked.served.seat.renderer, asked.wanted.stops)
    events = asking.worker.events(asked.served.seat, _request(asked, number, guide))
    async with aclosing(events) as coming:
        async for event in coming:
            if tally.first is None:
                tally.first = time.monotonic() - asking.started
                asking.metrics.first_token.observe(tally.first)
            piece = writer.take(event)
            tally.completion += not event.stopped
            if guide is not None and guide.failed:
                raise ApiError(400, "The schema is too complex to be followed.", param="response_format")
            if piece.text or piece.tokens or piece.finish:
                yield piece
            if piece.finish:
                return
