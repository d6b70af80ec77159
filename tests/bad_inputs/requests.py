"""Requests that no client of good will sends, over a socket to the server as `burnish serve` runs it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from burnish.server.app import create_app
from burnish.server.catalog import Catalog
from burnish.server.guard import Limits as ServerLimits
from burnish.server.key import Key
from burnish.server.serve import listen, make_server
from burnish.server.worker import Worker
from tests.bad_inputs.case import Case, Limits, Made, Survived, good_model, must

KEY = "a-key-for-these-tests-alone-0123456789"
CHAT, WRITE = "/v1/chat/completions", "/v1/completions"
PATIENCE = 5.0  # seconds for an answer
DEEP = "[" * 100_000
HI = [{"role": "user", "content": "hi"}]
NEVER = 0  # the connection is closed without an answer


def request(
    method: str = "POST",
    path: str = CHAT,
    body: bytes = b"",
    *,
    host: str = "127.0.0.1:{port}",
    auth: str | None = f"Bearer {KEY}",
    kind: str | None = "application/json",
    more: Sequence[str] = (),
    length: str | None = None,
    version: str = "HTTP/1.1",
) -> bytes:
    """A request as bytes; {port} is filled in when it is sent."""
    lines = [f"{method} {path} {version}", *([f"Host: {host}"] if host else [])]
    lines += [f"Authorization: {auth}"] if auth else []
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"Content-Length: {len(body) if length is None else length}"] if length != "" else []
    return "\r\n".join([*lines, *more, "Connection: close", "", ""]).encode("latin-1") + body


def asked(path: str = CHAT, **fields: Any) -> bytes:
    """JSON for one of the routes, sound but for these fields."""
    base: dict[str, Any] = {"model": "model", "max_tokens": 1}
    base |= {"messages": HI} if path == CHAT else {"prompt": "hi"}
    return request(path=path, body=json.dumps(base | fields).encode())


def schema(value: Any) -> bytes:
    return asked(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": value}})


def nested(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        found = {"type": "object", "properties": {"a": found}, "required": ["a"]}
    return found


CHUNKED = ["Transfer-Encoding: chunked"]
RAW: Mapping[str, tuple[bytes, Sequence[int]]] = {
    "bytes that are no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n", [400, NEVER]),
    "a line of 100 KB": (request("GET", "/" + "a" * 100_000), [400, 404, 414, 431, NEVER]),
    "a header of 100 KB": (request(more=["X: " + "a" * 100_000]), [400, 431, NEVER]),
    "2,000 headers": (request(more=[f"X{n}: a" for n in range(2000)]), [400, 431]),
    "a header without a colon": (request(more=["nothing"]), [400]),
    "a zero byte in a header": (request(more=["X: a\0b"]), [400]),
    "two lengths": (request(body=b"{}", more=["Content-Length: 3"]), [400]),
    "a length and chunks": (request(body=b"0\r\n\r\n", more=CHUNKED), [400]),
    "a length below zero": (request(length="-1"), [400]),
    "a length of 10^20": (request(length="1" + "0" * 20), [400, 413]),
    "a coding before the chunks": (request(length="", more=["Transfer-Encoding: gzip, chunked"]), [400, 501]),
    "a chunk of no size": (request(length="", more=CHUNKED, body=b"zz\r\n{}\r\n"), [400]),
    "a chunk of 2^60 bytes": (request(length="", more=CHUNKED, body=b"1000000000000000\r\n{}"), [400, 408, 413]),
    "a chunk with an endless extension": (
        request(length="", more=CHUNKED, body=b"1;" + b"a" * 200_000),
        [400, 408, NEVER],
    ),
    "a version from the future": (request(version="HTTP/9.9"), [400, 505]),
    "a method that does not exist": (request("EVIL"), [405]),
    "a method with a slash": (request("GET/"), [400, 405]),
    "CONNECT": (request("CONNECT", "evil.example:443"), [400, 403, 404, 405]),
    "TRACE": (request("TRACE"), [405]),
    "the address of another host": (request("GET", "http://evil.example/v1/models"), [400, 403, 404]),
    "no host": (request(host=""), [400, 403]),
    "two hosts": (request(more=["Host: evil.example"]), [400, 403]),
    "the host of a page": (request(host="evil.example:{port}"), [403]),
    "a host with a name before it": (request(host="evil.example@127.0.0.1:{port}"), [400, 403]),
    "another port": (request(host="127.0.0.1:1"), [403]),
    "the origin of a page": (request(more=["Origin: https://evil.example"]), [403]),
    "a hidden origin": (request(more=["Origin: null"]), [403]),
    "a form of another site": (request(more=["Sec-Fetch-Site: cross-site"], kind="text/plain"), [403]),
    "no key": (request(auth=None), [401]),
    "a wrong key": (request(auth="Bearer wrong"), [401]),
    "a key that is half right": (request(auth=f"Bearer {KEY[:-1]}"), [401]),
    "two keys": (request(more=[f"Authorization: Bearer {KEY}"]), [400, 401]),
    "the key as a password": (request(auth=f"Basic {KEY}"), [401]),
    "the key in the address": (request(path=f"{CHAT}?api_key={KEY}", auth=None), [401]),
    "an upgrade to web sockets": (
        request("GET", more=["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA=="], length=""),
        [400, 403, 404, 405, 426],
    ),
    "a body that never comes": (request(length="100"), [408]),
    "a path that climbs": (request("GET", "/v1/models/../../etc/passwd"), [404]),
    "a path that climbs in escapes": (request("GET", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), [404]),
    "a path of zero bytes": (request("GET", "/v1/models/%00%0d%0aX:%20a"), [400, 404]),
    "a body that is no JSON": (request(body=b"{not json}"), [400]),
    "JSON nested 100,000 deep": (request(body=DEEP.encode()), [400]),
    "JSON as plain text": (request(body=b"{}", kind="text/plain"), [415]),
    "packed JSON": (request(body=b"\x1f\x8b\x08" + bytes(50), more=["Content-Encoding: gzip"]), [400, 415]),
    "a body of 5 MB": (request(body=b" " * (5 << 20)), [413, NEVER]),
    "a list for an object": (request(body=b"[]"), [400]),
}
FIELDS: Mapping[str, tuple[bytes, Sequence[int]]] = {
    "a model that climbs": (asked(model="../../etc/passwd"), [404]),
    "no messages": (asked(messages=[]), [400]),
    "5,000 messages": (asked(messages=HI * 5000), [400]),
    "half a character": (request(body=b'{"model": "\\ud800", "messages": []}'), [400, 404]),
    "tokens below zero": (asked(max_tokens=-1), [400]),
    "a million answers": (asked(n=1_000_000), [400]),
    "a temperature without end": (asked().replace(b'"max_tokens": 1', b'"temperature": 1e999'), [400]),
    "a prompt beyond the context": (asked(WRITE, prompt="a b " * 5000), [400]),
    "ids that are no tokens": (asked(WRITE, prompt=[2**31 - 1]), [400]),
    "a field that does not exist": (asked(__class__="x"), [400]),
    "a schema that holds itself": (schema({"$ref": "#"}), [400]),
    "a schema nested 300 deep": (schema(nested(300)), [400]),
    "a schema with an endless pattern": (schema({"type": "string", "pattern": "(a{1,1000}){1,1000}"}), [200, 400]),
    "an adapter out of its folder": (
        request(path="/v1/load_lora_adapter", body=b'{"lora_name": "x", "lora_path": "../../../etc"}'),
        [400, 403, 404],
    ),
    "tools without names": (asked(tools=[{"type": "function", "function": {"name": "a b;c"}}]), [400]),
}  # fmt: skip
must(len(RAW) + len(FIELDS) == 60, "there are 60 requests")


def abuse(raw: bytes, statuses: Sequence[int], model: Path) -> None:
    """The request is refused in OpenAI's shape or cut off; a sound one right after is answered."""
    entries: list[dict[str, Any]] = []
    with server(model, entries) as port:
        status, body = exchange(port, raw)
        must(status in statuses, f"answered with {status}: {body[:200]!r}")
        # What is no HTTP at all is answered by the parser, before there is a route.
        if status >= 400 and (status != 400 or b'"error"' in body):
            must(bool(json.loads(body)["error"]["message"]), repr(body[:200]))
        good, answer = exchange(port, asked())
        must(good == 200, f"afterwards a sound request is answered with {good}: {answer[:200]!r}")
        started = time.monotonic()
        must(exchange(port, request("GET", "/health"))[0] == 200, "the server is not healthy")
        must(time.monotonic() - started < 1, "the server is slow")
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    must(KEY not in text, "the key stands in the log")
    must(text.isascii(), text[:200])
    must(text.count("\n") == len(entries), text[:200])


@contextmanager
def server(model: Path, entries: list[dict[str, Any]]) -> Iterator[int]:
    """The whole server on a free port of loopback, with short patience."""
    with closing(Worker(capacity=4)) as worker, listen("127.0.0.1", 0) as opened:
        catalog = Catalog(worker, slots=4)
        catalog.add_base(str(model))
        limits = ServerLimits(body_seconds=0.5, pause_seconds=0.5)
        running = make_server(create_app(catalog, Key(KEY), log=entries.append, limits=limits, longest=2))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [opened]}, daemon=True)
        thread.start()
        yield opened.getsockname()[1]
        running.should_exit = True
        thread.join(PATIENCE)


def exchange(port: int, raw: bytes) -> tuple[int, bytes]:
    """Status and body of the answer; a status of 0 where the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sender:
        answer = b""
        with suppress(OSError):  # it stopped reading, and may have said why
            sender.sendall(raw.replace(b"{port}", str(port).encode()))
        with suppress(OSError):
            while part := sender.recv(65536):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split(b" ")[1]) if head.startswith(b"HTTP/") else NEVER), body


def made(raw: bytes, statuses: Sequence[int], folder: Path, rng: Random) -> Made:
    return Made("", Survived(None, 0), call=partial(abuse, raw, statuses, good_model(folder)),
                limits=Limits(grown_bytes=128 << 20))  # fmt: skip


CASES = tuple(Case(f"a request with {what}", partial(made, *case)) for what, case in (RAW | FIELDS).items())
