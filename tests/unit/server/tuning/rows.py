"""Rows and files of OpenAI's forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def chat(n: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": f"{n} + 1?"}, {"role": "assistant", "content": str(n + 1)}]}


def pair(n: int) -> dict[str, Any]:
    def said(text: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": text}]

    asked = {"messages": [{"role": "user", "content": f"{n} + 1?"}]}
    return {"input": asked, "preferred_output": said(str(n + 1)), "non_preferred_output": said(str(n))}


def completion(n: int) -> dict[str, Any]:
    return {"prompt": f"{n} + 1 = ", "completion": str(n + 1)}


def jsonl(row: Callable[[int], dict[str, Any]] = chat, count: int = 12, *, line: int = 0, bad: Any = None) -> bytes:
    """`count` rows; that of `line` (from 1) replaced by `bad`: a value, or bytes as they stand."""
    lines = [json.dumps(row(n)).encode() for n in range(count)]
    if line:
        lines[line - 1] = bad if isinstance(bad, bytes) else json.dumps(bad).encode()
    return b"".join(line + b"\n" for line in lines)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "data.jsonl"
    path.write_bytes(content)
    return path
