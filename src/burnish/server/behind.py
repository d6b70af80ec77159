"""Another engine's server behind our guard: names are checked here, and what is asked goes on to it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
from fastapi import Body, FastAPI
from fastapi.responses import Response, StreamingResponse

from burnish.server.access_log import Log, to_stderr
from burnish.server.api_error import ApiError
from burnish.server.error_answers import ERRORS
from burnish.server.guard import Guard
from burnish.server.key import Key

SECONDS = 600.0  # that an engine may be silent


@dataclass(frozen=True)
class Backed:
    """What a name stands for there. `fields` are set in every request, whatever it says; `defaults` where it says
    nothing."""

    parent: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Backend:
    """An engine's server: http://HOST:PORT, the key it asks for, and what it serves."""

    address: str
    key: str = field(repr=False)
    models: Mapping[str, Backed]


def create_proxy(backend: Backend, key: Key, *, hosts: Collection[str] = (), log: Log = to_stderr) -> FastAPI:
    """The app: models, chat and completions of that engine."""
    began = int(time.time())
    headers = {"Authorization": f"Bearer {backend.key}"}
    client = httpx.AsyncClient(base_url=backend.address, headers=headers, timeout=SECONDS, trust_env=False)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncGenerator[None, None]:
        async with client:
            yield

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=living)
    app.add_middleware(Guard, key=key, log=log, hosts=hosts)
    for kind, answer in ERRORS.items():
        app.add_exception_handler(kind, answer)

    @app.get("/health")
    async def health() -> Any:
        return await _pass_on(client, "GET", "/health", None)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_shown(name, one, began) for name, one in backend.models.items()]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> dict[str, Any]:
        return _shown(name, _find(backend, name), began)

    async def ask(path: str, wanted: dict[str, Any]) -> Response:
        backed = _find(backend, wanted.get("model"))
        return await _pass_on(client, "POST", path, {**backed.defaults, **wanted, **backed.fields})

    @app.post("/v1/chat/completions")
    async def chat(wanted: Annotated[dict[str, Any], Body()]) -> Response:
        return await ask("/v1/chat/completions", wanted)

    @app.post("/v1/completions")
    async def complete(wanted: Annotated[dict[str, Any], Body()]) -> Response:
        return await ask("/v1/completions", wanted)

    return app


def _find(backend: Backend, name: Any) -> Backed:
    if not isinstance(name, str) or name not in backend.models:
        raise ApiError(404, f"The model `{name}` does not exist.", param="model", code="model_not_found")
    return backend.models[name]


def _shown(name: str, backed: Backed, began: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": began, "owned_by": "burnish", "parent": backed.parent}


async def _pass_on(client: httpx.AsyncClient, method: str, path: str, body: Any) -> Response:
    """The engine's answer as it comes: its status, its kind and its bytes."""
    try:
        answer = await client.send(client.build_request(method, path, json=body), stream=True)
    except httpx.HTTPError as error:
        said = f"The engine behind this server does not answer: {type(error).__name__}."
        raise ApiError(503, said, kind="server_error") from error

    async def content() -> AsyncGenerator[bytes, None]:
        try:
            async for part in answer.aiter_bytes():
                yield part
        finally:
            await answer.aclose()

    kind = answer.headers.get("content-type", "application/json")
    return StreamingResponse(content(), answer.status_code, media_type=kind)
