"""Servers on loopback for the tests: one that speaks HTTP as told, and one that writes what it likes to the socket."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from burnish.core.records import Chat, Message


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True)
class Said:
    """What is answered. A body that is not bytes is sent as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def chat_answer(text: str | None, finish: str = "stop") -> Said:
    """A success as OpenAI's chat completions have it."""
    message = {"role": "assistant", "content": text}
    return Said({"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": finish}]})


@contextlib.contextmanager
def http_server(handle: Callable[[Seen], Said]) -> Iterator[tuple[str, list[Seen]]]:
    """The address, ending in /v1, and the list of requests seen."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(Seen(self.path, dict(self.headers), json.loads(content)))

        def do_GET(self) -> None:
            self._answer(Seen(self.path, dict(self.headers)))

        def _answer(self, request: Seen) -> None:
            seen.append(request)
            said = handle(request)
            content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def raw_server(pieces: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """The address of a server that writes these pieces to whoever connects, until nobody reads them."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    for piece in pieces():
                        if over.is_set():
                            break
                        connection.sendall(piece)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def chat(prompt: str, answer: str, number: int = 0) -> Chat:
    """A row of train."""
    messages = (Message("user", prompt), Message("assistant", answer))
    return Chat(f"row{number}", messages, f"tickets.csv:{number + 2}", f"group{number}")
