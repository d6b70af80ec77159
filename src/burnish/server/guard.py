"""What stands before every route: who may ask, how large and how slow a request may be, and an end to the work when the
client has left. Pure ASGI, so that answers that stream pass through untouched.

Order: Host and Origin (403), key (401), form of the body (411, 413, 415, 408). /health alone needs no key.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from burnish.server.access_log import Log, access_entry
from burnish.server.api_error import ApiError
from burnish.server.key import Key
from burnish.server.own_host import is_own_host, is_own_origin

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Count: TypeAlias = Callable[[MutableMapping[str, Any], int, float], None]

OPEN = frozenset(("/health",))
UPLOADS = "/v1/files"  # the one route that takes multipart/form-data
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


@dataclass(frozen=True)
class Limits:
    """Bytes and seconds."""

    json_bytes: int = 4 << 20
    upload_bytes: int = 600 << 20  # OpenAI's files have at most 512 MB, and multipart adds to that
    headers: int = 64  # how many
    header_bytes: int = 16 << 10  # all of them
    body_seconds: float = 30.0  # from the headers to the end of a JSON body
    pause_seconds: float = 30.0  # between two parts of an upload


class Guard:
    """An ASGI app around another."""

    def __init__(
        self,
        app: AsgiApp,
        *,
        key: Key,
        log: Log,
        count: Count | None = None,
        hosts: Collection[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self.app, self.key, self.log, self.count, self.hosts = app, key, log, count, hosts
        self.limits = limits or Limits()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _Answer(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive, answer: _Answer) -> None:
        started = time.monotonic()
        try:
            headers = _headers(scope, self.limits)
            self._check(scope, headers)
            await self._pass_on(scope, headers, receive, answer)
        except ApiError as error:
            await answer.refuse(error)
        except Exception as error:  # a fault of ours: the log names it, the client learns nothing of it
            self.log({"fault": type(error).__name__, "path": str(scope["path"])[:200], "at": _place(error)})
            await answer.refuse(ApiError(500, "The server failed to answer this request.", kind="server_error"))
        finally:
            seconds = time.monotonic() - started
            self.log(access_entry(scope, answer.status, seconds, answer.sent))
            if self.count is not None:
                self.count(scope, answer.status, seconds)

    def _check(self, scope: MutableMapping[str, Any], headers: dict[str, list[str]]) -> None:
        """Raises ApiError: this request may not be made."""
        port = int((scope.get("server") or ("", 80))[1] or 80)
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or not is_own_host(hosts[0], self.hosts, port):
            raise ApiError(
                403,
                "The Host header does not name this server. Use its address, or start it with --allow-host NAME.",
                code="unknown_host",
            )
        foreign = any(not is_own_origin(origin, self.hosts, port) for origin in origins)
        if foreign or headers.get("sec-fetch-site", ["none"])[0] not in ("none", "same-origin"):
            raise ApiError(403, "Pages of other sites may not call this server.", code="cross_site_request")
        if scope["path"] not in OPEN:
            self._check_key(headers.get("authorization", []))

    def _check_key(self, given: list[str]) -> None:
        kind, _, value = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if kind.lower() != "bearer" or not self.key.fits(value.strip()):
            said = "Incorrect API key provided." if given else "You didn't provide an API key."
            raise ApiError(
                401,
                f"{said} Send the header `Authorization: Bearer KEY`; `burnish serve` says where the key stands.",
                code="invalid_api_key",
            )

    async def _pass_on(
        self, scope: MutableMapping[str, Any], headers: dict[str, list[str]], receive: Receive, answer: _Answer
    ) -> None:
        if _is_upload(scope, headers):
            await self.app(scope, self._bounded(receive), answer.send)
            return
        async with _in_time(self.limits.body_seconds):
            body = await _whole(receive, headers, self.limits.json_bytes)
        if body and _media_type(headers) != "application/json":
            raise ApiError(415, "The body must be JSON: send `Content-Type: application/json`.", code="not_json")
        await _until_gone(self.app(scope, _replay(body), answer.send), receive)

    def _bounded(self, receive: Receive) -> Receive:
        """An upload as it comes, of which each part must come in time and all must not be too much."""
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            async with _in_time(self.limits.pause_seconds):
                message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limits.upload_bytes:
                raise _too_large(self.limits.upload_bytes)
            return message

        return bounded


class _Answer:
    """Passes an answer on, with headers of ours, and remembers how it went."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status, self.sent = 0, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            own = {name for name, _ in HEADERS}
            kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in own]
            message = {**message, "headers": [*kept, *HEADERS]}
        elif message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, error: ApiError) -> None:
        """Answers with an error, unless an answer has begun: the server then cuts it off, which clients notice."""
        if self.status:
            return
        content = json.dumps(error.body()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        if error.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if error.status in (408, 413):  # what is left of the body is not read
            headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": content})


def _headers(scope: MutableMapping[str, Any], limits: Limits) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    size = len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(n) + len(v) for n, v in scope["headers"])
    if len(scope["headers"]) > limits.headers or size > limits.header_bytes:
        said = f"A request has at most {limits.headers} headers and {limits.header_bytes:,} bytes before its body."
        raise ApiError(431, said)
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _media_type(headers: dict[str, list[str]]) -> str:
    return headers.get("content-type", [""])[0].partition(";")[0].strip().lower()


def _is_upload(scope: MutableMapping[str, Any], headers: dict[str, list[str]]) -> bool:
    return scope["method"] == "POST" and scope["path"] == UPLOADS and _media_type(headers) == "multipart/form-data"


def _too_large(most: int) -> ApiError:
    return ApiError(413, f"The body is larger than {most:,} bytes.", code="request_too_large")


async def _whole(receive: Receive, headers: dict[str, list[str]], most: int) -> bytes:
    """The body. Raises ApiError: it is too large, or the client left before it was there."""
    declared = headers.get("content-length", ["0"])[0]
    if not (declared.isascii() and declared.isdigit()) or len(declared) > 15 or int(declared) > most:
        raise _too_large(most)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "The body is not complete.")
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes) -> Receive:
    """The body in one part. After it nothing comes: who waits for the client to leave is cancelled when it does."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        if parts:
            return parts.pop()
        await asyncio.Event().wait()
        raise AssertionError

    return replayed


async def _until_gone(work: Awaitable[None], receive: Receive) -> None:
    """Does the work, and cancels it when the client leaves, which frees what it holds."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@contextlib.asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ApiError(408, f"The body did not come within {seconds:g} seconds.", code="timeout") from error


def _place(error: Exception) -> str:
    """File and line where an exception was raised."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{last.tb_lineno}" if last is not None else ""
