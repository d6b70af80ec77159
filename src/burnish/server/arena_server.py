"""The arena over HTTP: who may ask, and the server itself.

Every address begins with a secret token, and the Host header must name this server by number, as localhost or as --host
does, so that no page of the web can reach it under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import contextlib
import hmac
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from burnish.core.errors import BurnishError
from burnish.evals.arena.ballots import Ballots
from burnish.evals.arena.matches import Match
from burnish.server.arena_answers import Hall, Response, answer
from burnish.server.own_host import is_own_host

MOST_BYTES = 4096  # of a request
SECONDS = 30  # that a connection may take

FORBIDDEN = Response(403, {"error": "open the address that `burnish arena` printed"})


def may_ask(hall: Hall, hosts: Sequence[str], path: str, port: int) -> bool:
    """One Host header that is ours, and the token as the first part of the path."""
    token = path.split("/")[1] if path.startswith("/") else ""
    own = len(hosts) == 1 and is_own_host(hosts[0], (hall.named,), port)
    return own and hmac.compare_digest(token.encode("utf-8", "replace"), hall.token.encode())


@contextlib.contextmanager
def open_arena(matches: Sequence[Match], ballots: Ballots, *, host: str, port: int) -> Iterator[str]:
    """Serves in the background; gives the page's address. Raises BurnishError: host or port cannot be used."""
    hall = Hall(matches, ballots, host)
    try:
        server = _Server((host, port), hall)
    except (OSError, OverflowError) as error:
        raise BurnishError(
            "The arena cannot be opened there.",
            where=f"{host}:{port}",
            seen=str(error),
            next_move="take another --port, 0 for any that is free, or leave --host out",
        ) from error
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}/{hall.token}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], hall: Hall) -> None:
        self.hall = hall
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SECONDS

    def do_GET(self) -> None:
        if not self._allowed():
            self._send(FORBIDDEN)
        elif urlsplit(self.path).path == f"/{self.server.hall.token}/":
            self._send(Response(200))
        else:
            self._send(Response(404, {"error": "there is no such page"}))

    def do_POST(self) -> None:
        if not self._allowed():
            self._send(FORBIDDEN)
            return
        body = self._body()
        if body is None:
            self._send(Response(400, {"error": "not a request of the arena's page"}))
            return
        try:
            self._send(
                answer(self.server.hall, urlsplit(self.path).path.removeprefix(f"/{self.server.hall.token}/"), body)
            )
        except BurnishError as error:
            self._send(Response(500, {"error": str(error)}))

    def _allowed(self) -> bool:
        port = int(self.connection.getsockname()[1])
        return may_ask(self.server.hall, self.headers.get_all("Host", []), self.path, port)

    def _body(self) -> Mapping[str, Any] | None:
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "application/json" or not (length.isascii() and length.isdigit()):
            return None
        if len(length) > 5 or int(length) > MOST_BYTES:
            return None
        try:
            value = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def _send(self, response: Response) -> None:
        content = self.server.hall.page.html if response.value is None else json.dumps(response.value).encode()
        kind = "text/html" if response.value is None else "application/json"
        self.send_response(response.status)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(content)),
            "Content-Security-Policy": self.server.hall.page.policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the token would stand in every line."""
