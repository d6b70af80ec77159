"""POST /v1/completions: text or token ids to go on with, as they stand, without a template."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from burnish.render.renderer import Renderer
from burnish.server.answering import Question, Tally, check_characters, question
from burnish.server.api_error import ApiError
from burnish.server.catalog import Served
from burnish.server.desk import Desk
from burnish.server.shapes import completion_logprobs, new_id, sse, usage
from burnish.server.streaming import Streamed
from burnish.server.wanted import WantedCompletion
from burnish.server.writer import Piece

DEFAULT_TOKENS = 16  # OpenAI's
MOST_ANSWERS = 128  # of one request


def completion_router(desk: Desk) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.post("/v1/completions")
    async def complete(wanted: WantedCompletion) -> Response:
        _check(wanted)
        with ExitStack() as held:
            served = held.enter_context(desk.catalog.using(wanted.model))
            asked = await desk.render(lambda: _questions(served, wanted))
            work = _Work(asked, wanted, [_echo(one, wanted) for one in asked], id=new_id("cmpl"))
            pieces = desk.pieces(desk.asking(), asked, work.tally)
            if wanted.stream:
                return Streamed(_events(work, pieces), held.pop_all())
            async with aclosing(pieces):
                return JSONResponse(await _whole(work, pieces))

    return router


@dataclass
class _Work:
    """One request on its way. `echoes` is the text that stands before the answers to each prompt."""

    asked: list[Question]
    wanted: WantedCompletion
    echoes: list[str]
    id: str
    created: int = field(default_factory=lambda: int(time.time()))
    tally: Tally = field(default_factory=Tally)

    @property
    def count(self) -> int:
        """Answers to each prompt."""
        return self.asked[0].count

    def body(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        served = self.asked[0].served
        head = {"id": self.id, "object": "text_completion", "created": self.created, "model": served.name}
        return {**head, "system_fingerprint": served.fingerprint, "choices": choices, **more}

    def choice(self, index: int, text: str, piece: Piece) -> dict[str, Any]:
        logprobs = None
        if self.wanted.logprobs is not None:
            offset = len(self.echoes[index // self.count])
            grammars = self.asked[0].served.seat.grammars
            logprobs = completion_logprobs(piece, grammars, self.wanted.logprobs, offset)
        return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": piece.finish}

    def usage(self) -> dict[str, Any]:
        return usage(sum(len(one.prompt) for one in self.asked), self.tally.completion)


def _check(wanted: WantedCompletion) -> None:
    """Raises ApiError: it asks for what is not done here."""
    if wanted.suffix:
        raise ApiError(
            400, "These models do not fill in before a suffix.", param="suffix", code="unsupported_parameter"
        )
    if wanted.best_of not in (None, wanted.n or 1):
        raise ApiError(400, "`best_of` other than `n` is not supported.", param="best_of", code="unsupported_value")
    if wanted.echo and wanted.logprobs is not None:
        raise ApiError(
            400, "`echo` with `logprobs` is not supported: prompts are not scored here.", param="echo",
            code="unsupported_value",
        )  # fmt: skip


def _questions(served: Served, wanted: WantedCompletion) -> list[Question]:
    """One for each prompt. In the rendering thread. Raises ApiError: it cannot be asked."""
    prompts = _prompts(served.seat.renderer, wanted)
    if len(prompts) * (wanted.n or 1) > MOST_ANSWERS:
        raise ApiError(400, f"A request has at most {MOST_ANSWERS} answers.", param="n")
    top = wanted.logprobs or 0
    return [
        question(served, prompt, wanted, most=wanted.max_tokens, longest=DEFAULT_TOKENS, top=top) for prompt in prompts
    ]


def _prompts(renderer: Renderer, wanted: WantedCompletion) -> list[list[int]]:
    match wanted.prompt:
        case str() as text:
            return [text_ids(renderer, text)]
        case [int(), *_] as ids:
            return [[token for token in ids if isinstance(token, int)]]
        case [str(), *_] as texts:
            return [text_ids(renderer, text) for text in texts if isinstance(text, str)]
        case several:
            return [ids for ids in several if isinstance(ids, list)]


def text_ids(renderer: Renderer, text: str) -> list[int]:
    """As the tokenizer begins a text, names of special tokens parsed: whoever completes raw text writes its frame."""
    check_characters(text, param="prompt")
    return [int(token) for token in renderer.tokenizer(text)["input_ids"]]


def _echo(asked: Question, wanted: WantedCompletion) -> str:
    return asked.served.seat.renderer.decode(asked.prompt) if wanted.echo else ""


async def _whole(work: _Work, pieces: AsyncGenerator[tuple[int, Piece], None]) -> dict[str, Any]:
    """The answers in one body."""
    parts: list[list[Piece]] = [[] for _ in range(len(work.asked) * work.count)]
    async for index, piece in pieces:
        parts[index].append(piece)
    choices = []
    for index, said in enumerate(parts):
        whole = Piece(
            work.echoes[index // work.count] + "".join(piece.text for piece in said),
            tuple(event for piece in said for event in piece.tokens),
            tuple(start for piece in said for start in piece.starts),
            said[-1].finish,
        )
        choices.append(work.choice(index, whole.text, whole))
    return work.body(choices, usage=work.usage())


async def _events(work: _Work, pieces: AsyncGenerator[tuple[int, Piece], None]) -> AsyncGenerator[bytes, None]:
    """The answers as events."""
    echoed: set[int] = set()
    nothing_yet: dict[str, Any] = {"usage": None} if work.wanted.with_usage else {}
    async with aclosing(pieces):
        async for index, piece in pieces:
            text = piece.text if index in echoed else work.echoes[index // work.count] + piece.text
            echoed.add(index)
            yield sse(work.body([work.choice(index, text, piece)], **nothing_yet))
    if work.wanted.with_usage:
        yield sse(work.body([], usage=work.usage()))
