"""Who may ask: Host × Origin × key × method × content type over every route of the app, read from its own table."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from burnish.server.app import create_app
from burnish.server.catalog import Catalog
from burnish.server.guard import OPEN
from burnish.server.key import Key
from burnish.server.tuning.opening import open_tuning
from burnish.server.worker import Worker

KEY = "0123456789abcdef-of-a-test"
PORT = 8000
HOSTS = {  # header → whether it names this server, which listens on port 8000 as `own.example`
    "127.0.0.1:8000": True, "localhost:8000": True, "[::1]:8000": True, "own.example:8000": True, None: False,
    "evil.example:8000": False, "127.0.0.1": False, "127.0.0.1:8001": False, "localhost.evil.example:8000": False,
    # as a proxy that speaks HTTPS hands it on
    "own.example": True, "own.example:8443": True, "localhost": False,
    "user@127.0.0.1:8000": False, "127.0.0.1:8000/x": False, "own.example.:8000": False,
}  # fmt: skip
ORIGINS = {
    None: True, "http://127.0.0.1:8000": True, "http://own.example:8000": True, "https://own.example": True,
    "https://evil.example": False,
    "null": False, "http://127.0.0.1:8001": False, "file://": False,
}  # fmt: skip
KEYS = {
    f"Bearer {KEY}": True, f"bearer  {KEY} ": True, None: False, "Bearer ": False, f"Bearer {KEY}x": False,
    f"Bearer {KEY[:-1]}": False, f"Basic {KEY}": False, KEY: False,
}  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "EVIL")
KINDS = ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None)
CELLS_A_ROUTE = 400


@dataclass(frozen=True)
class Cell:
    """One request. Its body is no JSON, so that nothing comes of those that may be made."""

    path: str
    host: str | None
    origin: str | None
    auth: str | None
    method: str
    kind: str | None

    @property
    def verdict(self) -> int:
        """The status by which it is refused at the door; 0 where it is let in."""
        if not HOSTS[self.host] or not ORIGINS[self.origin]:
            return 403
        if self.path not in OPEN and not KEYS[self.auth]:
            return 401
        return 0


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    runs = tmp_path_factory.mktemp("runs")
    with closing(Worker(capacity=1)) as worker, open_tuning(runs, {}, lambda name, folder: None) as router:
        yield create_app(
            Catalog(worker), Key(KEY), routers=[router], hosts=["own.example"], log=lambda entry: None
        )  # fmt: skip


def paths(app: FastAPI) -> list[str]:
    """Every route's path, with a name where one is to be filled in, and one that no route has."""
    found = {route.path for route in _routes(app.routes)}
    return [*sorted("/".join("x" if "{" in part else part for part in path.split("/")) for path in found), "/nothing"]


def _routes(routes: Any) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from _routes(route.original_router.routes)  # one that was included


async def status_of(app: FastAPI, cell: Cell) -> int:
    given = {"host": cell.host, "origin": cell.origin, "authorization": cell.auth, "content-type": cell.kind}
    headers = [(name.encode(), value.encode()) for name, value in given.items() if value is not None]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": cell.method,
             "path": cell.path, "raw_path": cell.path.encode(), "query_string": b"", "root_path": "",
             "scheme": "http", "headers": headers, "client": ("127.0.0.1", 1),
             "server": ("127.0.0.1", PORT)}  # fmt: skip
    parts = [{"type": "http.request", "body": b"{", "more_body": False}]
    sent: list[int] = []

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    await app(scope, receive, send)
    return sent[0]


def cells(app: FastAPI) -> list[Cell]:
    """A seeded part of all combinations for each route, with each value of each header in it."""
    whole = list(itertools.product(HOSTS, ORIGINS, KEYS, METHODS, KINDS))
    rng = Random(7)
    return [Cell(path, *combination) for path in paths(app) for combination in rng.sample(whole, CELLS_A_ROUTE)]


def test_every_cell_is_refused_or_let_in_as_the_reference_says(app: FastAPI) -> None:
    async def all_of_them() -> list[tuple[Cell, int]]:
        return [(cell, await status_of(app, cell)) for cell in cells(app)]

    answered = asyncio.run(all_of_them())
    assert len(answered) >= 2000
    refused = {401, 403}
    wrong = [
        f"{cell}: {status}, expected {cell.verdict or 'to be let in'}"
        for cell, status in answered
        if (status != cell.verdict if cell.verdict else status in refused or status >= 500)
    ]
    assert not wrong, f"{len(wrong)} of {len(answered)}: {wrong[:3]}"


def test_nothing_but_the_guard_and_health_is_open(app: FastAPI) -> None:
    found = paths(app)
    assert {"/v1/chat/completions", "/v1/models", "/v1/files", "/v1/fine_tuning/jobs", "/metrics"} <= set(found)
    opened = [path for path in found
              if asyncio.run(status_of(app, Cell(path, "localhost:8000", None, None, "GET", None))) != 401]  # fmt: skip
    assert opened == ["/health"]
