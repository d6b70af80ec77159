"""The server's app: routes, errors in OpenAI's shape, the guard before everything. What it serves stands in the
catalogue that it is given; FastAPI's own pages are off, since they load scripts from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from burnish.server.access_log import Log, to_stderr
from burnish.server.catalog import Catalog
from burnish.server.chat import chat_router
from burnish.server.completions import completion_router
from burnish.server.desk import Desk
from burnish.server.error_answers import ERRORS
from burnish.server.guard import Guard, Limits
from burnish.server.key import Key
from burnish.server.models import model_router
from burnish.server.tokens import token_router

# Every answer at work needs room for its longest form. Without a limit that would be the whole context, and few fit.
LONGEST_ANSWER = 1024


def create_app(
    catalog: Catalog,
    key: Key,
    *,
    routers: Sequence[APIRouter] = (),
    hosts: Collection[str] = (),
    log: Log = to_stderr,
    limits: Limits | None = None,
    longest: int = LONGEST_ANSWER,
) -> FastAPI:
    """The app. `routers` are further routes behind the same guard; `hosts`: names by which it may be called beside
    numbers and localhost; `longest`: tokens of an answer to a chat where a request names no limit."""
    app = FastAPI(title="Burnish", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    desk = Desk(catalog, longest=longest)
    own = (chat_router(desk), completion_router(desk), model_router(desk), token_router(desk), _state_router(desk))
    for router in (*own, *routers):
        app.include_router(router)
    for kind, answer in ERRORS.items():
        app.add_exception_handler(kind, answer)
    app.add_middleware(Guard, key=key, log=log, hosts=hosts, limits=limits, count=desk.metrics.count)
    return app


def _state_router(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/metrics")
    async def metrics() -> Response:
        desk.metrics.models.set(len(desk.catalog.all()))
        return Response(desk.metrics.page(), media_type=CONTENT_TYPE_LATEST)

    return router
