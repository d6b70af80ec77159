"""POST /v1/chat/completions."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from burnish.core.records import Message, Role, ToolCall, Tools
from burnish.server.answering import Question, Tally, check_characters, question
from burnish.server.api_error import ApiError
from burnish.server.calls import CallForm, check_tools, chosen_tools, forced_call
from burnish.server.catalog import Served
from burnish.server.desk import Desk
from burnish.server.guide import ANY_OBJECT, Guide
from burnish.server.shapes import chat_logprobs, new_id, sse, usage
from burnish.server.streaming import Streamed
from burnish.server.wanted import Turn, WantedChat
from burnish.server.writer import Piece


def chat_router(desk: Desk) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.post("/v1/chat/completions")
    async def chat(wanted: WantedChat) -> Response:
        with ExitStack() as held:
            served = held.enter_context(desk.catalog.using(wanted.model))
            asked, form = await desk.render(lambda: _question(served, wanted, desk.longest))
            talk = _Talk(asked, wanted, form, id=new_id("chatcmpl"))
            pieces = desk.pieces(desk.asking(), [asked], talk.tally)
            if not wanted.stream:
                async with aclosing(pieces):
                    return JSONResponse(await _whole(talk, pieces))
            return Streamed(_events(talk, pieces), held.pop_all())

    return router


@dataclass
class _Talk:
    """One request on its way. With `form`, answers are read for calls of tools."""

    asked: Question
    wanted: WantedChat
    form: CallForm | None
    id: str
    created: int = field(default_factory=lambda: int(time.time()))
    tally: Tally = field(default_factory=Tally)

    def body(self, kind: str, **more: Any) -> dict[str, Any]:
        served = self.asked.served
        head = {"id": self.id, "object": kind, "created": self.created, "model": served.name}
        return {**head, "system_fingerprint": served.fingerprint, **more}

    def logprobs(self, piece: Piece) -> dict[str, Any] | None:
        if not self.wanted.logprobs:
            return None
        return chat_logprobs(piece.tokens, self.asked.served.seat.grammars, self.wanted.top_logprobs or 0)

    def usage(self) -> dict[str, Any]:
        return usage(len(self.asked.prompt), self.tally.completion)


def _question(served: Served, wanted: WantedChat, longest: int) -> tuple[Question, CallForm | None]:
    """In the rendering thread. Raises ApiError and DataError: it cannot be asked."""
    if wanted.top_logprobs and not wanted.logprobs:
        raise ApiError(400, "`top_logprobs` needs `logprobs` to be true.", param="top_logprobs")
    defined: Tools = tuple(tool.model_dump(exclude_none=True) for tool in wanted.tools or ())
    check_characters(json.dumps(defined, ensure_ascii=False), param="tools")
    tools, must = chosen_tools(defined, wanted.tool_choice)
    seat = served.seat
    form = check_tools(seat.calls, seat.renderer) if tools else None
    prompt = seat.renderer.prompt([as_message(turn) for turn in wanted.messages], tools)
    grammar = _grammar(served, wanted)
    if must and form is not None:
        grammar = forced_call(seat.grammars, form, tools)
    guide: Callable[[], Guide] | None = (lambda: seat.grammars.guide(grammar)) if grammar else None
    most = wanted.max_completion_tokens or wanted.max_tokens
    top = (wanted.top_logprobs or 0) if wanted.logprobs else 0
    return question(served, prompt, wanted, most=most, longest=longest, top=top, make_guide=guide), form


def _grammar(served: Served, wanted: WantedChat) -> str:
    """What the answer must be made of; empty where it is free."""
    form, grammars, param = wanted.response_format, served.seat.grammars, "response_format"
    if form is None or form.type == "text":
        return ""
    if form.type == "json_object":
        return grammars.for_schema(ANY_OBJECT, param=param)
    if form.json_schema is None or form.json_schema.schema_ is None:
        raise ApiError(400, "Missing required parameter: 'response_format.json_schema.schema'.", param=param)
    return grammars.for_schema(form.json_schema.schema_, param=param)


def as_message(turn: Turn) -> Message:
    """A message as the renderer reads it. Raises ApiError: it says nothing where it must."""
    role: Role = "system" if turn.role == "developer" else turn.role
    content = turn.content if isinstance(turn.content, str) else "".join(part.text for part in turn.content or ())
    calls = tuple(ToolCall(call.function.name, call.function.arguments, call.id) for call in turn.tool_calls or ())
    if turn.content is None and not (role == "assistant" and calls):
        raise ApiError(400, f"A message of the role {turn.role} needs content.", param="messages")
    check_characters(content, turn.name or "", *(call.name + call.arguments for call in calls), param="messages")
    for call in calls:
        _check_arguments(call)
    return Message(role, content, calls, turn.tool_call_id or "", turn.name or "")


def _check_arguments(call: ToolCall) -> None:
    try:
        fine = isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        fine = False
    if not fine:
        raise ApiError(400, f"The arguments of the call of {call.name} are no JSON object.", param="messages")


async def _whole(talk: _Talk, pieces: AsyncGenerator[tuple[int, Piece], None]) -> dict[str, Any]:
    """The answers in one body."""
    parts: list[list[Piece]] = [[] for _ in range(talk.asked.count)]
    async for index, piece in pieces:
        parts[index].append(piece)
    choices = []
    for index, said in enumerate(parts):
        message, finish = _said(talk, said)
        tokens = tuple(event for piece in said for event in piece.tokens)
        choices.append(
            {
                "index": index,
                "message": message,
                "logprobs": talk.logprobs(Piece(tokens=tokens)),
                "finish_reason": finish,
            }
        )
    return talk.body("chat.completion", choices=choices, usage=talk.usage())


def _said(talk: _Talk, said: list[Piece]) -> tuple[dict[str, Any], str | None]:
    """The message of whole answer, and why it ended."""
    text, finish = "".join(piece.text for piece in said), said[-1].finish
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if talk.form is not None:
        rest, calls = talk.form.read(text)
        if calls:
            return {**message, "content": rest or None, "tool_calls": calls}, "tool_calls"
    return message, finish


async def _events(talk: _Talk, pieces: AsyncGenerator[tuple[int, Piece], None]) -> AsyncGenerator[bytes, None]:
    """The answers as events. One that may hold calls of tools comes in one piece: it can be read only whole."""
    gathered: list[list[Piece]] = [[] for _ in range(talk.asked.count)]
    nothing_yet: dict[str, Any] = {"usage": None} if talk.wanted.with_usage else {}

    def event(index: int, delta: dict[str, Any], piece: Piece, finish: str | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": talk.logprobs(piece), "finish_reason": finish}
        return sse(talk.body("chat.completion.chunk", choices=[choice], **nothing_yet))

    async with aclosing(pieces):
        async for index, piece in pieces:
            if not gathered[index]:
                yield event(index, {"role": "assistant", "content": "", "refusal": None}, Piece())
            gathered[index].append(piece)
            if talk.form is None and (piece.text or piece.tokens):
                yield event(index, {"content": piece.text}, piece)
            if piece.finish:
                delta, finish = _last(talk, gathered[index]) if talk.form else ({}, piece.finish)
                tokens = tuple(token for one in gathered[index] for token in one.tokens) if talk.form else ()
                yield event(index, delta, Piece(tokens=tokens), finish)
    if talk.wanted.with_usage:
        yield sse(talk.body("chat.completion.chunk", choices=[], usage=talk.usage()))


def _last(talk: _Talk, said: list[Piece]) -> tuple[dict[str, Any], Any]:
    """All of an answer as one delta."""
    message, finish = _said(talk, said)
    delta = {key: value for key, value in message.items() if key == "content" and value}
    calls = message.get("tool_calls")
    return (
        delta | {"tool_calls": [{"index": at, **call} for at, call in enumerate(calls)]} if calls else delta
    ), finish
