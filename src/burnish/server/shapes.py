"""Answers in OpenAI's shapes: tokens with their log-probabilities, usage, events of a stream."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import Any

from burnish.generate.request import Event
from burnish.server.guide import Grammars
from burnish.server.writer import Piece


def new_id(kind: str) -> str:
    """An id that no other answer has."""
    return f"{kind}-{secrets.token_hex(12)}"


def usage(prompt: int, completion: int) -> dict[str, Any]:
    """Tokens read and written."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def chat_logprobs(tokens: Iterable[Event], grammars: Grammars, top: int) -> dict[str, Any]:
    """As chat completions have them: each token as text and as bytes, with its alternatives."""
    content = [
        {
            **_token(event.token, event.logprob, grammars),
            "top_logprobs": [_token(token, logprob, grammars) for token, logprob in event.top[:top]],
        }
        for event in tokens
    ]
    return {"content": content, "refusal": None}


def _token(token: int, logprob: float, grammars: Grammars) -> dict[str, Any]:
    written = grammars.bytes_of(token)
    # OpenAI's own mark of something impossible: JSON has no infinity
    return {"token": written.decode("utf-8", "replace"), "logprob": max(logprob, -9999.0), "bytes": list(written)}


def completion_logprobs(piece: Piece, grammars: Grammars, top: int, offset: int) -> dict[str, Any]:
    """As completions have them: lists side by side. `offset`: characters of the prompt, where it is echoed."""
    names = [_text(event.token, grammars) for event in piece.tokens]
    return {
        "tokens": names,
        "token_logprobs": [max(event.logprob, -9999.0) for event in piece.tokens],
        "top_logprobs": [
            {_text(token, grammars): max(logprob, -9999.0) for token, logprob in event.top[:top]}
            for event in piece.tokens
        ]
        if top
        else None,
        "text_offset": [offset + start for start in piece.starts],
    }


def _text(token: int, grammars: Grammars) -> str:
    """A token as text; a part of a character as its bytes, as OpenAI shows them."""
    written = grammars.bytes_of(token)
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in written)


def sse(value: Any) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n\n"
