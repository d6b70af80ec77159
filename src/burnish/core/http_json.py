"""JSON over HTTP to an address that the user named: bounded in bytes and seconds, and tried again where that helps.

No redirect is followed and no proxy is used, so what is sent, key and rows, reaches that address and no other.
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

from burnish.core.errors import DataError

MOST_BYTES = 4 * 2**20  # of one response: hundreds of times what an answer takes
CONNECT_S = 10.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
BUSY = frozenset((408, 429, 500, 502, 503, 504, 529))  # 529: what some servers say when they are overloaded
SHOWN = 200  # characters of a response in an error


@dataclass(frozen=True)
class Keys:
    """The keys of a recipe that set a server, for the next move in an error."""

    address: str
    model: str
    key: str
    timeout: str
    length: str  # of an answer


@dataclass(frozen=True)
class Server:
    """An address such as http://127.0.0.1:8080/v1 and how patient to be. The key stands in no error and no repr."""

    address: str
    key: str = field(default="", repr=False)
    timeout_s: float = 300.0  # of one try in all
    retries: int = 5
    first_pause_s: float = FIRST_PAUSE_S
    keys: Keys = Keys("address", "model", "key_from", "timeout_s", "max_new_tokens")


@dataclass(frozen=True)
class Response:
    """What the server said. `value` is the JSON of a success, `text` the beginning of anything else."""

    status: int
    value: Any = None
    text: str = ""


@dataclass(frozen=True)
class _Raw:
    status: int
    body: bytes
    retry_after: str = ""
    location: str = ""


class _TooSlow(Exception):  # noqa: N818 - named after what happened
    """The time for one try is over."""


def call(server: Server, path: str, body: Mapping[str, Any]) -> Response:
    """POST of a JSON body. A response other than a success, a redirect or a busy server is returned.

    Raises DataError: not reachable, too slow, busy for too long, a redirect, too large a response, or not JSON.
    """
    for tried in range(server.retries + 1):
        pause = min(server.first_pause_s * 2.0**tried, LONGEST_PAUSE_S)
        try:
            raw = _once(server, path, json.dumps(body).encode())
        except ssl.SSLCertVerificationError as error:
            raise DataError(
                "The server's certificate is not trusted.",
                where=server.address,
                seen=error.verify_message,
                next_move="check the address, or the certificates of this machine",
            ) from None
        except _TooSlow:
            raise DataError(
                "The server did not answer in time.",
                where=server.address,
                seen=f"nothing whole within {server.timeout_s:g} s",
                next_move=f"raise `{server.keys.timeout}` or lower `{server.keys.length}`; earlier answers are kept",
            ) from None
        except (OSError, HTTPException) as error:
            failure = shown(server, str(error) or type(error).__name__)
        else:
            if raw.status not in BUSY:
                return _understood(server, raw)
            failure = f"HTTP {raw.status}: {shown(server, raw.body)}"
            pause = max(pause, _seconds(raw.retry_after))
        if tried < server.retries:
            time.sleep(pause)
    raise DataError(
        "The server cannot be reached, or is too busy.",
        where=server.address,
        seen=f"{failure}; tried {server.retries + 1} times",
        next_move="start it or check the address, then run the same command again; what was answered before is kept",
    )


def shown(server: Server, text: str | bytes) -> str:
    """The beginning of a response as one printable line, without the key, which some servers repeat."""
    if isinstance(text, bytes):
        text = text[: 8 * SHOWN].decode("utf-8", "replace")
    if server.key:
        text = text.replace(server.key, "…")
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:SHOWN]


def _once(server: Server, path: str, body: bytes) -> _Raw:
    """One try. Raises OSError or HTTPException: no whole response came. _TooSlow: not in time."""
    parts = urlsplit(server.address)
    kind = HTTPSConnection if parts.scheme.lower() == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=min(CONNECT_S, server.timeout_s))
    headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "burnish"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    with contextlib.closing(connection):
        connection.connect()
        connection.sock.settimeout(server.timeout_s)
        with _deadline(connection.sock, server.timeout_s):
            target = f"{parts.path.rstrip('/')}/{path}"
            connection.request("POST", target, body, headers)
            with connection.getresponse() as response:
                return _Raw(
                    response.status,
                    _bounded(server, response),
                    response.headers.get("Retry-After", ""),
                    response.headers.get("Location", ""),
                )


@contextlib.contextmanager
def _deadline(connected: socket.socket, seconds: float) -> Iterator[None]:
    """Ends the connection when the time is over, however slowly bytes still trickle in."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with contextlib.suppress(OSError):
            # The plain socket's own: that of TLS forgets its state, under the feet of who is reading.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException) as error:
        if over.is_set() or isinstance(error, TimeoutError):
            raise _TooSlow from error
        raise
    finally:
        timer.cancel()
    if over.is_set():
        raise _TooSlow


def _bounded(server: Server, response: HTTPResponse) -> bytes:
    content = response.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DataError(
            "The server's response is far too long.",
            where=server.address,
            seen=f"more than {MOST_BYTES:,} bytes; it begins: {shown(server, content)[:60]}",
            next_move="check that the address is that of an OpenAI-compatible server, such as http://127.0.0.1:8080/v1",
        )
    if response.length:  # bytes that were announced and did not come
        raise IncompleteRead(b"", response.length)
    return content


def _understood(server: Server, raw: _Raw) -> Response:
    if 300 <= raw.status < 400:
        raise DataError(
            "The server sends on to another address, which is not followed.",
            where=server.address,
            seen=f"HTTP {raw.status}: {shown(server, raw.location)}",
            next_move=f"name the address itself in `{server.keys.address}`, if you trust it with your rows",
        )
    if not 200 <= raw.status < 300:
        return Response(raw.status, text=shown(server, raw.body))
    try:
        return Response(raw.status, json.loads(raw.body))
    except (ValueError, RecursionError):
        raise DataError(
            "The server does not answer in JSON.",
            where=server.address,
            seen=shown(server, raw.body) or "an empty response",
            next_move="check the address: that of an OpenAI-compatible server mostly ends in /v1",
        ) from None


def _seconds(retry_after: str) -> float:
    """Of a header Retry-After; 0 where it is absent, a date or nonsense."""
    try:
        seconds = float(retry_after)
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE_S) if math.isfinite(seconds) else 0.0
