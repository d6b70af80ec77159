"""Asks `burnish serve` what it makes of an exported folder, and of an adapter on one: the command that people start,
through the chat route. OpenAI's API tells no ids of an answer, so its text, end and log-probabilities are compared.
"""

from __future__ import annotations

import math
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.errors import ParityError
from burnish.core.records import Message
from burnish.deploy.answers import Answer
from burnish.deploy.loopback import Served, free_port, served
from burnish.deploy.parity import NEAR_TIE, Limits, finding, prompt_measures, without_effect

SPECIALIST = "specialist"
AT_ONCE = 16  # conversations
ROUNDING = 1e-4  # nats: one network gives the same token this much apart at most, in float32


@dataclass(frozen=True)
class Reply:
    """What one chat request gave. `logprobs`: of the tokens of the text."""

    text: str
    stopped: bool
    prompt: tuple[int, ...]
    logprobs: tuple[float, ...]


def check_own_server(
    folder: Path,
    conversations: Sequence[Sequence[Message]],
    answers: Sequence[Answer],
    base_answers: Sequence[Answer],
    *,
    decode: Callable[[Sequence[int]], str],
    special_text: Sequence[bool],
    max_new_tokens: int,
    limits: Limits,
    adapter: Path | None = None,
) -> dict[str, Any]:
    """The line of parity.json for a folder, or for an adapter on it.

    Raises BurnishError: the server does not start or refuses a request.
    """
    with _start(folder, adapter) as server:
        name = SPECIALIST if adapter else folder.name
        replies = _replies(server, name, conversations, max_new_tokens)
        alone = _replies(server, folder.name, conversations, max_new_tokens) if adapter else []
    line = finding(_measures(answers, replies, decode, special_text), limits) | {"engine": "burnish serve"}
    if adapter is None or not any(reply.logprobs for reply in (*replies, *alone)):
        return line  # where both end before a word, no route tells how sure they were
    pairs = zip(answers, base_answers, strict=True)
    expected = [_differ(*(_as_reply(answer, decode) for answer in pair)) for pair in pairs]
    changed = [_differ(one, other) for one, other in zip(replies, alone, strict=True)]
    return without_effect(line, sum(changed) / len(changed), sum(expected) / len(expected))


def _as_reply(answer: Answer, decode: Callable[[Sequence[int]], str]) -> Reply:
    spoken = answer.spoken
    logprobs = tuple(answer.logprob(index) for index in range(len(spoken)))
    return Reply(decode(spoken), answer.stopped, answer.prompt, logprobs)


def _differ(one: Reply, other: Reply) -> bool:
    """Whether two networks gave these: by what was said, or by how sure each was of it."""
    if (one.text, one.stopped, len(one.logprobs)) != (other.text, other.stopped, len(other.logprobs)):
        return True
    return any(abs(a - b) > ROUNDING for a, b in zip(one.logprobs, other.logprobs, strict=True))


def _start(folder: Path, adapter: Path | None) -> AbstractContextManager[Served]:
    port, key = free_port(), secrets.token_hex(16)
    beside = ["--adapter", f"{SPECIALIST}={adapter.resolve()}"] if adapter else []
    wares = ["--model", str(folder.resolve()), *beside, "--port", str(port)]
    command = [sys.executable, "-P", "-m", "burnish", "serve", *wares, "--dtype", "float32"]
    return served("burnish serve", command, {**os.environ, "BURNISH_API_KEY": key}, port, key, "/v1/models")


def _replies(server: Served, model: str, conversations: Sequence[Sequence[Message]], limit: int) -> list[Reply]:
    """All at once: the server answers them in one batch, as it does in use."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(lambda messages: _reply(server, model, messages, limit), conversations))


def _reply(server: Served, model: str, messages: Sequence[Message], limit: int) -> Reply:
    chat = [message.to_json() for message in messages]
    asked = {"model": model, "messages": chat}
    read = server.ask("/tokenize", asked)
    found = server.ask("/v1/chat/completions", {**asked, "max_tokens": limit, "temperature": 0, "logprobs": True})
    try:
        (choice,) = found["choices"]
        logprobs = tuple(float(token["logprob"]) for token in choice["logprobs"]["content"])
        text, stopped = str(choice["message"]["content"] or ""), choice["finish_reason"] == "stop"
        return Reply(text, stopped, tuple(map(int, read["tokens"])), logprobs)
    except (LookupError, TypeError, ValueError) as error:
        raise ParityError("burnish serve answers in an unknown form.", seen=str(error)[:200]) from error


def _measures(
    answers: Sequence[Answer],
    replies: Sequence[Reply],
    decode: Callable[[Sequence[int]], str],
    special_text: Sequence[bool],
) -> dict[str, Any]:
    """Prompts by ids, answers by text and end, and the log-probabilities of those that are the same: where not all
    are and none has any, infinitely far off. Answers that end before a word have none."""
    pairs = list(zip(answers, replies, strict=True))
    same = [_same(answer, reply, decode) for answer, reply in pairs]
    ties = [not one and _tied(answer) for one, answer in zip(same, answers, strict=True)]
    differences = [
        abs(answer.logprob(index) - logprob)
        for (answer, reply), one in zip(pairs, same, strict=True)
        if one
        for index, logprob in enumerate(reply.logprobs)
    ] or [0.0 if all(same) else math.inf]
    return {
        **prompt_measures(answers, [reply.prompt for reply in replies], special_text),
        "answers": len(answers),
        "answers_equal": sum(same) + sum(ties),
        "answers_with_near_tie": sum(ties),
        "tokens": len(differences),
        "mean_difference": sum(differences) / len(differences),
        "max_difference": max(differences),
    }


def _same(answer: Answer, reply: Reply, decode: Callable[[Sequence[int]], str]) -> bool:
    whole = len(reply.logprobs) == len(answer.spoken) and reply.stopped == answer.stopped
    return whole and reply.text == decode(answer.spoken)


def _tied(answer: Answer) -> bool:
    """Whether another answer may be no fault: somewhere the first choice leads by less than another order of sums."""
    return any(answer.gap(index) < NEAR_TIE for index in range(len(answer.tokens)))
