"""What was done, when, with which hashes. Each line carries the hash of the line before: a changed line shows."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from burnish.core.files import append_jsonl, write_bytes

START = "0" * 64


def record_event(path: Path, what: str, **facts: Any) -> None:
    """Adds one event to the chain."""
    before = START
    if path.exists():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:  # a crash cut the last line short: it would look like a line that somebody changed
            write_bytes(path, whole)
        if whole:
            before = hashlib.sha256(whole.splitlines()[-1]).hexdigest()
    append_jsonl(
        path, {"time": datetime.now(UTC).isoformat(timespec="seconds"), "what": what, **facts, "before": before}
    )


def first_broken_line(path: Path) -> int | None:
    """The number (from 1) of the first line that does not fit the line before it; None when the chain holds."""
    before = START
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            event = json.loads(line)
        except ValueError:
            return number
        if not isinstance(event, dict) or event.get("before") != before:
            return number
        before = hashlib.sha256(line).hexdigest()
    return None
