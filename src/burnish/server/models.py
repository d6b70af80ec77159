"""GET and DELETE /v1/models, adapters that come and go (as vLLM has them), and /v1/embeddings, which says that these
models have none."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from burnish.core.errors import BurnishError
from burnish.server.api_error import ApiError
from burnish.server.catalog import Served
from burnish.server.desk import Desk
from burnish.server.wanted import UnwantedAdapter, WantedAdapter, WantedEmbeddings


def model_router(desk: Desk) -> APIRouter:
    """The routes."""
    router, catalog = APIRouter(), desk.catalog

    @router.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_shown(served) for served in catalog.all()]}

    @router.get("/v1/models/{name:path}")
    async def model(name: str) -> dict[str, Any]:
        return _shown(catalog.get(name))

    @router.delete("/v1/models/{name:path}")
    async def delete(name: str) -> dict[str, Any]:
        catalog.remove(name)
        return {"id": name, "object": "model", "deleted": True}

    @router.post("/v1/load_lora_adapter")
    async def load(wanted: WantedAdapter) -> Response:
        taken = any(served.name == wanted.lora_name for served in catalog.all())
        if taken and not wanted.load_inplace:
            said = f"The name '{wanted.lora_name}' is taken. Send `load_inplace: true` to put this one in its place."
            raise ApiError(400, said, param="lora_name")
        try:
            await asyncio.to_thread(catalog.add_allowed, wanted.lora_name, wanted.lora_path, wanted.base)
        except BurnishError as error:
            raise ApiError(400, f"{error.what} {error.seen}".strip(), param="lora_path") from error
        return PlainTextResponse(f"Success: LoRA adapter '{wanted.lora_name}' added successfully.")

    @router.post("/v1/unload_lora_adapter")
    async def unload(wanted: UnwantedAdapter) -> Response:
        if not catalog.get(wanted.lora_name).adapter:
            raise ApiError(400, f"'{wanted.lora_name}' is a whole model: DELETE /v1/models.", param="lora_name")
        catalog.remove(wanted.lora_name)
        return PlainTextResponse(f"Success: LoRA adapter '{wanted.lora_name}' removed successfully.")

    @router.post("/v1/embeddings")
    async def embeddings(wanted: WantedEmbeddings) -> Response:
        # A mean of hidden states could be sent, but nothing has trained these models to make it mean anything.
        served = catalog.get(wanted.model)
        said = (
            f"The model `{served.name}` was trained to write and has no embeddings. Use a model that was made for them."
        )
        return JSONResponse(ApiError(400, said, param="model", code="unsupported_model").body(), 400)

    return router


def _shown(served: Served) -> dict[str, Any]:
    return {
        "id": served.name,
        "object": "model",
        "created": served.created,
        "owned_by": "burnish",
        "parent": served.parent,
        "max_model_len": served.seat.context,
        "system_fingerprint": served.fingerprint,
    }
