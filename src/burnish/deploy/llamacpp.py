"""Asks llama.cpp, in a process of its own, what it makes of an exported GGUF file."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from burnish.core.errors import ParityError
from burnish.core.hardware import cores
from burnish.core.records import Message
from burnish.deploy.answers import TOP, Answer, Place

TIMEOUT_S = 3600
SPARE_TOKENS = 16  # of context beyond the longest prompt and answer


@dataclass(frozen=True)
class EngineAnswers:
    """prompts: token ids of each conversation, None where the engine can't render its template."""

    engine: str
    prompts: list[list[int] | None]
    answers: list[tuple[list[int], bool]]
    places: list[list[Place]]


def installed() -> bool:
    """Whether the engine is there. It is not imported: only the child process does that."""
    return importlib.util.find_spec("xllamacpp") is not None


def ask(
    path: Path,
    conversations: Sequence[Sequence[Message]],
    answers: Sequence[Answer],
    *,
    max_new_tokens: int,
    stop_ids: Collection[int],
    adapter: Path | None = None,
    scale: float = 1.0,
) -> EngineAnswers:
    """Asks a file, with a LoRA adapter at a scale where one is given.

    Raises ParityError: the engine refuses the file, crashes or does not come to an end.
    """
    longest = max(len(answer.prompt) for answer in answers) + max_new_tokens
    question = {
        "model": str(path.resolve()),
        "adapter": None if adapter is None else {"path": str(adapter.resolve()), "scale": scale},
        "context": longest + SPARE_TOKENS,
        # Its threads wait for each other by spinning: on a machine that has other work, one too many is twenty times
        # slower, one too few half as fast.
        "threads": max(1, cores() // 2),
        "conversations": [[message.to_json() for message in messages] for messages in conversations],
        "items": [{"prompt": answer.prompt, "answer": answer.tokens} for answer in answers],
        "max_new_tokens": max_new_tokens,
        "top": TOP,
    }
    found = json.loads(_child(path, json.dumps(question)))
    if "error" in found:
        raise ParityError("llama.cpp cannot use the exported file.", where=path.name, seen=found["error"][:200])
    return EngineAnswers(
        engine=found["engine"],
        prompts=[prompt.get("ids") for prompt in found["prompts"]],
        answers=[_spoken(answer["tokens"], answer["ended"], stop_ids) for answer in found["answers"]],
        places=[[tuple((int(i), p) for i, p in place) for place in item] for item in found["scores"]],
    )


def _spoken(tokens: list[int], ended: str, stop_ids: Collection[int]) -> tuple[list[int], bool]:
    """An answer without its stop token, and whether one of the specialist's ended it."""
    stopped = ended == "eos" and tokens[-1:] != [] and tokens[-1] in stop_ids
    return (tokens[:-1] if stopped else tokens), stopped


def _child(path: Path, question: str) -> str:
    # -P: a folder named like a package in the user's own folder must not be imported instead of it.
    command = [sys.executable, "-P", "-m", "burnish.deploy.llamacpp_probe"]
    try:
        done = subprocess.run(command, input=question, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ParityError("llama.cpp did not come to an end.", where=path.name, seen=f"{TIMEOUT_S} s") from error
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise ParityError(
            "llama.cpp cannot use the exported file.",
            where=path.name,
            seen=f"exit code {done.returncode}: {''.join(last)[:200]}",
        )
    return done.stdout
