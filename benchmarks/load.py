"""A load generator: many streams of chat completions at once against any server that speaks OpenAI's protocol.

Plain sockets and no HTTP library: on two cores the client's own work would be measured too.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Address:
    """Of a server on this machine. `key`: empty where none is asked for."""

    port: int
    key: str = ""
    host: str = "127.0.0.1"


@dataclass
class Answer:
    """What came of one request. Times are seconds since it was sent."""

    status: int
    body: dict[str, Any]
    first: float = 0.0  # until the first piece of text
    last: float = 0.0
    text: str = ""
    tokens: int = 0
    finish: str | None = None
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)


async def ask(address: Address, body: dict[str, Any], *, path: str = "/v1/chat/completions") -> Answer:
    """Sends one request; a stream is read to its end. An error of the connection is told in `error`."""
    return await _talk(address, "POST", path, body)


async def get(address: Address, path: str) -> Answer:
    """Reads a page; what it holds is in `text`."""
    return await _talk(address, "GET", path, None)


async def _talk(address: Address, method: str, path: str, body: dict[str, Any] | None) -> Answer:
    answer = Answer(0, body or {})
    started = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        try:
            await _send(writer, address, f"{method} {path}", body)
            await _read_head(reader, answer)
            async for line in _lines(reader, answer.headers):
                _take(answer, line, time.perf_counter() - started)
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        answer.error = f"{type(error).__name__}: {error}"
    return answer


async def _send(writer: asyncio.StreamWriter, address: Address, what: str, body: dict[str, Any] | None) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    head = [f"{what} HTTP/1.1", f"Host: {address.host}:{address.port}", "Connection: close"]
    if body is not None:
        head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    if address.key:
        head.append(f"Authorization: Bearer {address.key}")
    writer.write("\r\n".join([*head, "", ""]).encode() + content)
    await writer.drain()


async def _read_head(reader: asyncio.StreamReader, answer: Answer) -> None:
    status = (await reader.readuntil(b"\r\n")).decode("latin-1").split(" ", 2)
    answer.status = int(status[1])
    while (line := (await reader.readuntil(b"\r\n")).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        answer.headers[name.lower()] = value.strip()


async def _lines(reader: asyncio.StreamReader, headers: dict[str, str]) -> Any:
    """Lines of the body, whatever pieces it comes in."""
    rest = b""
    chunked = headers.get("transfer-encoding") == "chunked"
    while True:
        if chunked:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            piece = (await reader.readexactly(size + 2))[:-2]
        else:
            piece = await reader.read(65536)
        if not piece:
            break
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


def _take(answer: Answer, line: bytes, now: float) -> None:
    line = line.strip()
    if line in (b"", b"data: [DONE]") or line.startswith(b":"):
        return
    try:
        data = json.loads(line.removeprefix(b"data: "))
    except ValueError:
        answer.text += line.decode() + "\n"
        return
    if not isinstance(data, dict):
        return
    if "error" in data:
        answer.error = str(data["error"])
        return
    for choice in data.get("choices", []):
        piece = (choice.get("delta") or choice.get("message") or {}).get("content") or choice.get("text") or ""
        if piece and not answer.first:
            answer.first = now
        answer.text += piece
        answer.last = now
        answer.finish = choice.get("finish_reason") or answer.finish
    if data.get("usage"):
        answer.tokens = int(data["usage"]["completion_tokens"])


async def drive(
    address: Address, bodies: Sequence[dict[str, Any]], streams: int, done: Callable[[Answer], None] = lambda _: None
) -> list[Answer]:
    """Asks all, `streams` at a time, each next one when one is answered."""
    waiting = iter(bodies)
    answers: list[Answer] = []

    async def work() -> None:
        for body in waiting:
            answers.append(await ask(address, body))
            done(answers[-1])

    await asyncio.gather(*(work() for _ in range(streams)))
    return answers


@dataclass(frozen=True)
class Figures:
    """Of one run. Seconds; `between` is from token to token after the first, the median over requests."""

    requests: int
    failed: int
    tokens: int
    tokens_per_s: float
    first_median: float
    first_p95: float
    between: float


def figures(answers: Sequence[Answer], seconds: float) -> Figures:
    """Sums up a run. A request failed when its status is not 200, its stream broke or it has no end."""
    good = [one for one in answers if one.status == 200 and not one.error and one.finish]
    firsts = sorted(one.first for one in good) or [0.0]
    tokens = sum(one.tokens for one in good)
    pace = [(one.last - one.first) / (one.tokens - 1) for one in good if one.tokens > 1]
    return Figures(len(answers), len(answers) - len(good), tokens, tokens / seconds, statistics.median(firsts),
                   firsts[min(len(firsts) - 1, int(0.95 * len(firsts)))], statistics.median(pace or [0.0]))  # fmt: skip
