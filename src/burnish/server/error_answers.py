"""Whatever a route raises, as OpenAI's clients read it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from burnish.core.errors import BurnishError
from burnish.server.api_error import ApiError

RETRY_AFTER = "1"  # seconds: answers take about that long
Answer: TypeAlias = Callable[[Request, Any], Awaitable[Response]]


def error_response(error: ApiError) -> Response:
    """As ASCII: a name that a client made up may hold half of a character."""
    headers = {"Retry-After": RETRY_AFTER} if error.status == 429 else None
    return Response(json.dumps(error.body()), error.status, headers, "application/json")


async def _refused(request: Request, error: ApiError) -> Response:
    return error_response(error)


async def _failed(request: Request, error: BurnishError) -> Response:
    return error_response(ApiError(500, error.what, kind="server_error"))


async def _no_such_route(request: Request, error: HTTPException) -> Response:
    said = {
        404: f"Invalid URL ({request.method} {request.url.path[:200]})",
        405: f"Not allowed to {request.method} on {request.url.path[:200]} (HTTP method)",
        400: "We could not parse the body of your request.",
    }.get(error.status_code, str(error.detail)[:300])
    return error_response(ApiError(error.status_code, said, code="unknown_url" if error.status_code == 404 else None))


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    return error_response(invalid_request(error.errors()))


def invalid_request(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """One of pydantic's errors: of a value that may have several forms, the one that came furthest. What was sent is
    not said: it may be a person's text."""
    first = max(errors, key=lambda error: (len(error.get("loc", ())), not str(error.get("type")).endswith("_type")))
    param = _param(first.get("loc", ()))
    match first.get("type"):
        case "json_invalid":
            return ApiError(400, "We could not parse the JSON body of your request. It must be one JSON object.")
        case "extra_forbidden":
            return ApiError(400, f"Unrecognized request argument supplied: {param}", param=param)
        case "missing":
            said = f"Missing required parameter: '{param}'." if param else "The body of the request is missing."
            return ApiError(400, said, param=param, code="missing_required_parameter")
        case str() as kind if kind.endswith("_type") or kind in ("string_unicode", "literal_error"):
            said = f"Invalid type for '{param}': {first.get('msg')}."
            return ApiError(400, said, param=param, code="invalid_value" if kind == "literal_error" else "invalid_type")
        case _:
            return ApiError(400, f"Invalid value for '{param}': {first.get('msg')}.", param=param, code="invalid_value")


def _param(place: Sequence[str | int]) -> str | None:
    """`messages[0].role`. Without the names that pydantic gives to the forms of a value that has several."""
    said = ""
    for part in place[1:]:
        if isinstance(part, int):
            said += f"[{part}]"
        elif part.isidentifier() and part not in ("str", "int"):
            said += f".{part}"
        elif not part.isidentifier() and "[" not in part:
            said += f".{part[:80]}"
    return said.removeprefix(".") or None


ERRORS: Mapping[type[Exception], Answer] = {
    ApiError: _refused,
    BurnishError: _failed,
    RequestValidationError: _invalid,
    HTTPException: _no_such_route,
}
