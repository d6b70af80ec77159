"""POST /tokenize: the ids that a chat or a text would be answered from, as vLLM's server has it. What one server reads
can so be held against what another does."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from burnish.server.api_error import ApiError
from burnish.server.chat import as_message
from burnish.server.completions import text_ids
from burnish.server.desk import Desk
from burnish.server.wanted import STRICT, Turn


class WantedTokens(BaseModel):
    """A conversation, or a text."""

    model_config = STRICT
    model: str
    messages: list[Turn] | None = None
    prompt: str | None = None


def token_router(desk: Desk) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.post("/tokenize")
    async def tokenize(wanted: WantedTokens) -> dict[str, Any]:
        if (wanted.messages is None) == (wanted.prompt is None):
            raise ApiError(400, "Give either `messages` or `prompt`.", param="messages")
        with desk.catalog.using(wanted.model) as served:
            renderer = served.seat.renderer

            def ids() -> list[int]:
                if wanted.messages is not None:
                    return list(renderer.prompt([as_message(turn) for turn in wanted.messages]))
                return text_ids(renderer, wanted.prompt or "")

            tokens = await desk.render(ids)
            context = served.seat.decoder.config.context
        return {"count": len(tokens), "max_model_len": context, "tokens": tokens}

    return router
