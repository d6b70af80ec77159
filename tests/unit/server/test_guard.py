"""Who may ask, and how large and slow a request may be: raw requests over a real socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from burnish.server.access_log import as_line
from burnish.server.guard import Limits
from burnish.server.own_host import is_loopback, is_own_host, is_own_origin
from tests.live_server import AUTH, KEY, Live, live_server

BODY = {"model": "model", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def live(tiny_folder: Path) -> Iterator[Live]:
    with live_server(limits=Limits(json_bytes=20_000, body_seconds=0.5)) as server:
        server.catalog.add_base(str(tiny_folder))
        yield server


def refused(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["error"]["code"]


def test_only_health_is_open_without_the_key(live: Live) -> None:
    assert live.http.get(f"{live.url}/health").json() == {"status": "ok"}
    for method, path in (
        ("GET", "/v1/models"), ("POST", CHAT), ("GET", "/metrics"), ("DELETE", "/v1/models/model"), ("GET", "/docs"),
        ("GET", "/openapi.json"), ("GET", "/nowhere"), ("OPTIONS", CHAT),
    ):  # fmt: skip
        assert refused(live.http.request(method, live.url + path)) == (401, "invalid_api_key"), path
    for wrong in (KEY[:-1], KEY + "x", KEY.upper(), "x", "ü".encode().decode("latin-1")):
        given = {"Authorization": f"Bearer {wrong}".encode("latin-1")}
        assert refused(live.http.get(f"{live.url}/v1/models", headers=given)) == (401, "invalid_api_key")  # type: ignore[arg-type]
    doubled = [("Authorization", f"Bearer {KEY}"), ("Authorization", "Bearer other")]
    assert live.http.get(f"{live.url}/v1/models", headers=doubled).status_code == 401
    assert live.http.get(f"{live.url}/v1/models", headers=AUTH).status_code == 200


def test_pages_of_other_sites_cannot_call_even_with_the_key(live: Live) -> None:
    port = live.url.rpartition(":")[2]
    for name, value in (
        ("Host", "evil.example"), ("Host", f"evil.example:{port}"), ("Host", "127.0.0.1:1"), ("Host", ""),
        ("Host", f"127.0.0.1.evil.example:{port}"), ("Host", f"user@127.0.0.1:{port}"),
        ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", f"http://evil.example:{port}"),
        ("Origin", "file://"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"),
    ):  # fmt: skip
        answer = live.http.post(live.url + CHAT, json=BODY, headers={**AUTH, name: value})
        assert answer.status_code == 403, (name, value)
    for name, value in (("Host", f"localhost:{port}"), ("Origin", live.url), ("Sec-Fetch-Site", "same-origin")):
        assert live.http.post(live.url + CHAT, json=BODY, headers={**AUTH, name: value}).status_code == 200


def test_a_host_is_a_number_localhost_or_named() -> None:
    assert is_own_host("my-box:80", ["My-Box"], 80)
    assert is_own_host("[::1]:8000", [], 8000)
    assert not is_own_host("my-box:80", [], 80)
    assert not is_own_host("localhost:80/x", [], 80)
    assert not is_own_host("localhost:99999", [], 80)
    assert not is_own_origin("ftp://localhost", [], 80)
    assert [is_loopback(host) for host in ("127.0.0.2", "::1", "localhost", "0.0.0.0", "::", "example")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_a_body_must_be_json_and_of_a_size(live: Live) -> None:
    text = json.dumps(BODY)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonx"):
        answer = live.http.post(live.url + CHAT, content=text, headers={**AUTH, "Content-Type": kind})
        assert refused(answer) == (415, "not_json"), kind
    long = json.dumps({**BODY, "user": "x" * 30_000})
    headers = {**AUTH, "Content-Type": "application/json"}
    assert refused(live.http.post(live.url + CHAT, content=long, headers=headers)) == (413, "request_too_large")
    parts = (long[at : at + 1000].encode() for at in range(0, len(long), 1000))  # chunked: no length is declared
    assert refused(live.http.post(live.url + CHAT, content=parts, headers=headers)) == (413, "request_too_large")
    many = {f"X-{number}": "1" for number in range(80)}
    assert live.http.get(f"{live.url}/health", headers=many).status_code == 431
    headers = {**AUTH, "Content-Type": "application/json; charset=utf-8"}
    assert live.http.post(live.url + CHAT, content=text, headers=headers).status_code == 200


def talk(live: Live, sent: bytes, seconds: float = 5) -> bytes:
    """What the server answers to these bytes before it closes or falls silent."""
    port = int(live.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire:
        wire.sendall(sent)
        said = b""
        try:
            while part := wire.recv(65536):
                said += part
        except TimeoutError:
            said += b"...silence"
    return said


def test_a_body_that_does_not_come_is_not_waited_for(live: Live) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost:{live.url.rpartition(':')[2]}\r\nAuthorization: Bearer {KEY}\r\n"
    started = time.monotonic()
    said = talk(live, f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert b" 408 " in said.splitlines()[0]
    assert time.monotonic() - started < 3


def test_headers_that_do_not_come_are_not_waited_for(live: Live) -> None:
    started = time.monotonic()
    assert talk(live, b"GET /health HTTP/1.1\r\nHost: local") == b""
    assert time.monotonic() - started < 4


def test_what_is_no_http_is_answered_or_closed(live: Live) -> None:
    host = f"Host: localhost:{live.url.rpartition(':')[2]}\r\n"
    for sent in (
        b"\x16\x03\x01\x00\xa5\x01\x00\x00", b"GET / HTTP/1.1\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", b"A" * 100_000,
        f"GET /health HTTP/1.1\r\n{host}X: {'a' * 100_000}\r\n\r\n".encode(),
    ):  # fmt: skip
        said = talk(live, sent, seconds=0.3)
        assert said == b"" or said.startswith((b"HTTP/1.1 4", b"...silence")), (sent[:40], said[:80])
    assert live.http.get(f"{live.url}/health").status_code == 200


def test_the_log_has_a_line_a_request_and_no_text_or_key(live: Live) -> None:
    path = "/v1/models/%0d%0a%1b[31mforged%22,?key=" + KEY
    asked = {**BODY, "messages": [{"role": "user", "content": "a private matter"}]}
    before = len(live.log)
    live.http.get(live.url + path, headers=AUTH)
    live.http.post(live.url + CHAT, json=asked, headers=AUTH)
    while not {404, 200} <= {entry["status"] for entry in live.log[before:]}:
        time.sleep(0.01)
    for line in map(as_line, live.log):
        assert json.loads(line)["ms"] >= 0
        assert line.isascii()
        assert line.isprintable()
        assert KEY not in line
        assert "private" not in line


def test_errors_and_answers_say_not_to_be_kept_or_guessed_at(live: Live) -> None:
    for answer in (live.http.get(f"{live.url}/health"), httpx.get(f"{live.url}/v1/models"), live.post(CHAT, BODY)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
