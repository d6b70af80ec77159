"""/v1/files and /v1/fine_tuning/jobs as OpenAI's clients call them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from burnish.core.files import check_room
from burnish.server.api_error import ApiError
from burnish.server.tuning import files as stored
from burnish.server.tuning.check_upload import NotLines, check_lines
from burnish.server.tuning.desk import Desk
from burnish.server.tuning.events import checkpoint_json, event_json
from burnish.server.tuning.jobs import Job, cancel_job, get_job, job_json, pause_job, read_job, resume_job
from burnish.server.tuning.paging import page, read_limit
from burnish.server.tuning.refusal import invalid_value
from burnish.server.tuning.request import KEYS
from burnish.server.tuning.submit import submit
from burnish.server.tuning.upload import Upload, receive

METADATA = re.compile(r"metadata\[(.+)\]")
SHORTEST, LONGEST = 3600, 30 * 24 * 3600  # seconds that a file may be kept, where it is said
MOST_BODY = 2**20  # bytes of a request that creates a job


def tuning_router(desk: Desk) -> APIRouter:
    """The routes over a desk. They raise ApiError, which the app turns into OpenAI's error body."""
    router = APIRouter(prefix="/v1")
    _add_file_routes(router, desk)
    _add_job_routes(router, desk)
    _add_list_routes(router, desk)
    return router


def _add_file_routes(router: APIRouter, desk: Desk) -> None:
    @router.post("/files")
    async def upload(request: Request) -> dict[str, Any]:
        length = request.headers.get("content-length", "0")
        check_room(desk.files.folder, int(length) if length.isascii() and length.isdigit() else 0)
        got = await receive(request.headers.get("content-type", ""), request.stream(), desk.files.folder)
        return await run_in_threadpool(_keep, desk, got)

    @router.get("/files")
    def list_files(request: Request) -> dict[str, Any]:
        query = request.query_params
        where: list[tuple[str, Sequence[Any]]] = [("purpose = ?", (query["purpose"],))] if query.get("purpose") else []
        order = query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise invalid_value("order", order, "'asc' and 'desc'")
        limit = read_limit(query.get("limit"), 10_000, 10_000)
        return page(desk.store, "files", stored.to_json, where=where, after=query.get("after"), limit=limit,
                    ascending=order == "asc")  # fmt: skip

    @router.get("/files/{file_id}")
    def retrieve_file(file_id: str) -> dict[str, Any]:
        return desk.files.get(file_id)

    @router.get("/files/{file_id}/content")
    def content(file_id: str) -> FileResponse:
        return FileResponse(desk.files.path(desk.files.get(file_id)["id"]), media_type="application/octet-stream")

    @router.delete("/files/{file_id}")
    def delete(file_id: str) -> dict[str, Any]:
        return desk.files.delete(file_id)


def _keep(desk: Desk, got: Upload) -> dict[str, Any]:
    """An upload that came in whole → a file. Raises ApiError, after which nothing of it is left."""
    try:
        purpose = got.fields.get("purpose")
        if not purpose:
            raise ApiError(400, "Missing required parameter: 'purpose'.", param="purpose",
                           code="missing_required_parameter")  # fmt: skip
        if purpose != stored.TUNE:
            raise invalid_value("purpose", purpose, "'fine-tune'")
        lifetime = _lifetime(got)
        check_lines(got.content)
        return desk.files.add(got.content, got.filename or "", purpose, lifetime)
    except NotLines as error:
        raise ApiError(400, str(error), param="file", code="invalid_file_format") from error
    finally:
        got.content.unlink(missing_ok=True)


def _lifetime(got: Upload) -> int | None:
    text = got.fields.get("expires_after[seconds]")
    if text is None:
        return None
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not SHORTEST <= seconds <= LONGEST:
        raise ApiError(400, f"Invalid 'expires_after.seconds': expected a number between {SHORTEST} and {LONGEST}.",
                       param="expires_after.seconds", code="invalid_value")  # fmt: skip
    return seconds


def _add_job_routes(router: APIRouter, desk: Desk) -> None:
    def shown(job: Job) -> dict[str, Any]:
        desk.changed.set()
        return job_json(job, desk.organisation)

    @router.post("/fine_tuning/jobs")
    async def create(request: Request) -> dict[str, Any]:
        body = await _json_of(request)
        return shown(await run_in_threadpool(submit, desk, body))

    @router.get("/fine_tuning/jobs/{job_id}")
    def retrieve(job_id: str) -> dict[str, Any]:
        return job_json(get_job(desk.store, job_id), desk.organisation)

    @router.post("/fine_tuning/jobs/{job_id}/cancel")
    def cancel(job_id: str) -> dict[str, Any]:
        return shown(cancel_job(desk.store, job_id))

    @router.post("/fine_tuning/jobs/{job_id}/pause")
    def pause(job_id: str) -> dict[str, Any]:
        return shown(pause_job(desk.store, job_id))

    @router.post("/fine_tuning/jobs/{job_id}/resume")
    def resume(job_id: str) -> dict[str, Any]:
        return shown(resume_job(desk.store, job_id))


def _add_list_routes(router: APIRouter, desk: Desk) -> None:
    @router.get("/fine_tuning/jobs")
    def list_jobs(request: Request) -> dict[str, Any]:
        query = request.query_params
        where: list[tuple[str, Sequence[Any]]] = [
            ("EXISTS (SELECT 1 FROM json_each(jobs.metadata) WHERE key = ? AND value = ?)", (match[1], value))
            for name, value in query.multi_items()
            if (match := METADATA.fullmatch(name))
        ]
        if len(where) > KEYS:
            raise ApiError(400, f"A job has at most {KEYS} keys of metadata.", param="metadata", code="invalid_value")
        if query.get("metadata") == "null":
            where.append(("metadata IS NULL", ()))
        return page(desk.store, "jobs", lambda row: job_json(read_job(row), desk.organisation), where=where,
                    after=query.get("after"), limit=read_limit(query.get("limit"), 20, 100))  # fmt: skip

    @router.get("/fine_tuning/jobs/{job_id}/events")
    def list_events(job_id: str, request: Request) -> dict[str, Any]:
        query, job = request.query_params, get_job(desk.store, job_id)
        return page(desk.store, "events", event_json, where=[("job = ?", (job.id,))], after=query.get("after"),
                    limit=read_limit(query.get("limit"), 20, 1000))  # fmt: skip

    @router.get("/fine_tuning/jobs/{job_id}/checkpoints")
    def list_checkpoints(job_id: str, request: Request) -> dict[str, Any]:
        query, job = request.query_params, get_job(desk.store, job_id)
        return page(desk.store, "checkpoints", checkpoint_json, where=[("job = ?", (job.id,))],
                    after=query.get("after"), limit=read_limit(query.get("limit"), 10, 100))  # fmt: skip


async def _json_of(request: Request) -> Any:
    """The body as a value. Raises ApiError: it is too long, or no JSON."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise ApiError(413, f"The request is longer than {MOST_BODY:,} bytes.")
    try:
        value = json.loads(body.decode("utf-8"))
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no NaN, and no half of a character
        return value
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"The body of the request is not valid JSON: {str(error)[:100]}.") from error
