"""Connections whose request does not come: they are closed, so that nobody can take all of them by sending a header a
minute. uvicorn itself waits for ever once the first byte is there."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState


def make_sweep(state: ServerState, seconds: float) -> Callable[[], Awaitable[None]]:
    """What closes, each time it is called, the connections that have waited so long for the headers of one request."""
    since: WeakKeyDictionary[H11Protocol, tuple[object, float]] = WeakKeyDictionary()

    async def sweep() -> None:
        now = time.monotonic()
        for one in [one for one in state.connections if isinstance(one, H11Protocol)]:
            before, began = since.get(one, (None, now))
            # `cycle` is the last request: another one means that a request came meanwhile
            if one.conn.their_state is not h11.IDLE or before is not one.cycle:
                began = now
            since[one] = one.cycle, began
            if now - began >= seconds:
                one.transport.close()

    return sweep
