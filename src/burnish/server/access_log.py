"""One JSON object a line for each request: who asked what, and how it ended. No header, query, key or text is in it,
and no control character, so that nobody can write lines of their own into it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, TypeAlias

LONGEST_PATH = 200
Log: TypeAlias = Callable[[dict[str, Any]], None]


def to_stderr(entry: dict[str, Any]) -> None:
    """Writes the line."""
    print(as_line(entry), file=sys.stderr, flush=True)


def as_line(entry: dict[str, Any]) -> str:
    """ASCII alone: json escapes the rest."""
    return json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **entry})


def access_entry(scope: Any, status: int, seconds: float, sent: int) -> dict[str, Any]:
    """What is said of a request. A status of 0: the client left before an answer."""
    client = scope.get("client")
    return {
        "client": client[0] if client else "",
        "method": str(scope["method"])[:20],
        "path": str(scope["path"])[:LONGEST_PATH],
        "status": status,
        "ms": round(seconds * 1000, 1),
        "bytes": sent,
    }
