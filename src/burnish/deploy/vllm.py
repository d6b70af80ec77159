"""Asks vLLM what it makes of an exported folder, and of an adapter on one.

vLLM pins other versions of torch and transformers, so it has an environment of its own: BURNISH_VLLM names that
environment's Python; without, `vllm` is looked for on PATH. It runs as the server that people run, on the loopback
address and with a key that only this process knows.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from burnish.core.errors import MissingTool, ParityError
from burnish.core.records import Message
from burnish.deploy.answers import TOP, Answer, Place
from burnish.deploy.llamacpp import EngineAnswers
from burnish.deploy.loopback import Served, free_port, served

VARIABLE = "BURNISH_VLLM"
ABSENT = f"vLLM is not here: set {VARIABLE} to the Python of an environment that has it"
SPARE_TOKENS = 16
SPECIALIST, BASE = "specialist", "base"
# No kernels compiled for this machine, nothing fetched, nothing reported, a small cache.
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
}  # fmt: skip


def command() -> list[str] | None:
    """How vLLM's server is started here; None where there is none."""
    if python := os.environ.get(VARIABLE):
        return [python, "-m", "vllm.entrypoints.openai.api_server", "--model"]
    program = shutil.which("vllm")
    return [program, "serve"] if program else None


def cannot_serve(adapter: Mapping[str, Any]) -> str:
    """Why vLLM cannot put an adapter of this adapter_config.json on its base; "" where it can."""
    if adapter.get("peft_type") != "LORA":
        return "vLLM serves adapters of LoRA alone"
    extra = ("use_dora", "modules_to_save", "trainable_token_indices", "lora_bias", "alora_invocation_tokens")
    found = [name for name in extra if adapter.get(name)] + (["bias"] if adapter.get("bias", "none") != "none" else [])
    return f"vLLM serves plain LoRA alone, and this has {found[0]}" if found else ""


def ask(
    folder: Path,
    conversations: Sequence[Sequence[Message]],
    answers: Sequence[Answer],
    *,
    max_new_tokens: int,
    stop_ids: Collection[int],
    adapter: Path | None = None,
    rank: int = 0,
) -> tuple[EngineAnswers, list[list[Place]]]:
    """Asks a folder in float32, or an adapter of some rank on it. Also the places as the folder without the adapter
    sees them; none where there is no adapter.

    Raises ParityError: the engine refuses the files, ends early or does not come to an end.
    """
    longest = max(len(answer.prompt) for answer in answers) + max_new_tokens + SPARE_TOKENS
    try:
        with _server(folder, longest, adapter, rank) as server:
            version = server.ask("/version")["version"]
            found = EngineAnswers(
                engine=f"vllm {version}",
                prompts=[_prompt(server, messages) for messages in conversations],
                answers=[_answer(server, answer.prompt, max_new_tokens, stop_ids) for answer in answers],
                places=[_places(server, SPECIALIST, answer) for answer in answers],
            )
            return found, [_places(server, BASE, answer) for answer in answers] if adapter else []
    except (LookupError, TypeError, ValueError) as error:
        raise ParityError("vLLM answers in an unknown form.", where=folder.name, seen=str(error)[:200]) from error


def _prompt(server: Served, messages: Sequence[Message]) -> list[int]:
    chat = [message.to_json() for message in messages]
    body = {"model": SPECIALIST, "messages": chat, "add_generation_prompt": True}
    return list(server.ask("/tokenize", body)["tokens"])


def _answer(server: Served, prompt: Sequence[int], limit: int, stop_ids: Collection[int]) -> tuple[list[int], bool]:
    """A greedy answer by the folder's own settings: spoken tokens, and whether one of the stop tokens ended it."""
    body = {
        "model": SPECIALIST,
        "prompt": list(prompt),
        "max_tokens": limit,
        "temperature": 0,
        "return_token_ids": True,
    }
    (choice,) = server.ask("/v1/completions", body)["choices"]
    tokens = [int(token) for token in choice["token_ids"]]
    stopped = choice["finish_reason"] == "stop" and tokens[-1:] != [] and tokens[-1] in stop_ids
    return (tokens[:-1] if stopped else tokens), stopped


def _places(server: Served, model: str, answer: Answer) -> list[Place]:
    """What it would have said at each place of a given answer."""
    read = [*answer.prompt, *answer.tokens]
    body = {"model": model, "prompt": read, "max_tokens": 1, "temperature": 0, "prompt_logprobs": TOP}
    (choice,) = server.ask("/v1/completions", body)["choices"]
    found = []
    for place in choice["prompt_logprobs"][len(answer.prompt) :]:
        likeliest = sorted(((int(i), float(one["logprob"])) for i, one in place.items()), key=lambda one: -one[1])
        found.append(tuple(likeliest))
    return found


@contextmanager
def _server(folder: Path, context: int, adapter: Path | None, rank: int) -> Iterator[Served]:
    start = command()
    if start is None:
        raise MissingTool(ABSENT)
    port, key = free_port(), secrets.token_hex(16)
    loras = ["--enable-lora", "--max-lora-rank", str(lora_rank(rank)), "--lora-modules", f"{SPECIALIST}={adapter}"]
    arguments = [
        str(folder), "--served-model-name", BASE if adapter else SPECIALIST, "--host", "127.0.0.1", "--port", str(port),
        "--dtype", "float32", "--enforce-eager", "--max-model-len", str(context), "--max-logprobs", str(TOP),
        *(loras if adapter else []),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {**ENVIRONMENT, "VLLM_API_KEY": key}
    with served("vLLM", [*start, *arguments], environment, port, key, "/v1/models") as server:
        yield server


def largest_rank(adapter: Mapping[str, Any]) -> int:
    """The largest rank of any matrix that an adapter_config.json allows."""
    return max([int(adapter.get("r", 0)), *map(int, adapter.get("rank_pattern", {}).values())])


def lora_rank(rank: int) -> int:
    """The least of vLLM's sizes that holds adapters of this rank."""
    return next((size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= rank), rank)
