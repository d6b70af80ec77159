"""Answers that stream as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from burnish.server.api_error import ApiError
from burnish.server.shapes import sse


class Streamed(StreamingResponse):
    """A framework's response, since routes must return one. The status goes out with the first event, so that what goes
    wrong before it is answered with a status of its own; `held` is let go at the end, however it comes."""

    def __init__(self, events: AsyncGenerator[bytes, None], held: ExitStack) -> None:
        super().__init__((), media_type="text/event-stream")
        self._events, self._held = events, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            async with aclosing(self._events) as events:
                first = await anext(events)
                self.body_iterator = _ended(first, events)
                await self.stream_response(send)


async def _ended(first: bytes, events: AsyncGenerator[bytes, None]) -> AsyncGenerator[Any, None]:
    """A stream with its end. An error in the middle is its last event."""
    yield first
    try:
        async for event in events:
            yield event
    except ApiError as error:
        yield sse(error.body())
        return
    yield b"data: [DONE]\n\n"
