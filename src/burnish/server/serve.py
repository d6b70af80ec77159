"""The app on a socket, until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from burnish.core.errors import BurnishError
from burnish.server.slow_clients import make_sweep

CONNECTIONS = 1024  # open at a time; beyond that 503
BACKLOG = 256
IDLE_SECONDS = 15  # that a connection stays open between two requests
HEADER_SECONDS = 20.0  # until the headers of a request are there
LAST_SECONDS = 10  # for answers under way when the server stops


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on. Raises BurnishError: host or port cannot be used."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((host, port))
            opened.listen(BACKLOG)
        except BaseException:
            opened.close()
            raise
    except (OSError, OverflowError) as error:
        raise BurnishError(
            "The server cannot listen there.",
            where=f"{host}:{port}",
            seen=str(error),
            next_move="take another --port, 0 for any that is free, or leave --host out",
        ) from error
    return opened


def address(opened: socket.socket) -> str:
    """http://HOST:PORT of a socket."""
    host, port = opened.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(
    app: FastAPI, host: str = "127.0.0.1", port: int = 8000, *, ready: Callable[[str], None] | None = None
) -> None:
    """Serves until SIGINT or SIGTERM. `ready` is told the address once connections are taken.

    Raises BurnishError: host or port cannot be used.
    """
    with listen(host, port) as opened:
        if ready is not None:
            ready(address(opened))
        make_server(app).run(sockets=[opened])


def make_server(app: FastAPI, *, header_seconds: float = HEADER_SECONDS) -> uvicorn.Server:
    """uvicorn as it must be set: its own log off, since ours holds no texts, and h11, the strict one of its parsers."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=LAST_SECONDS,
        h11_max_incomplete_event_size=64 << 10,
        timeout_notify=1,
    )
    server = uvicorn.Server(config)
    config.callback_notify = make_sweep(server.server_state, header_seconds)
    return server
