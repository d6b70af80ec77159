"""Runs llama.cpp on one GGUF file and says what it answers: `python -m burnish.deploy.llamacpp_probe`.

A process of its own, because an engine in C++ that meets a bad file may end the process it lives in. The question comes
as JSON on standard input, the answer goes as JSON to standard output; the engine's own talk goes to standard error.
Nothing leaves the machine: the engine listens on the loopback address, and asks for a key that only this process knows.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import sys
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import xllamacpp

TIMEOUT_S = 600


class Engine:
    """llama.cpp's server on one file, in float32 where it has the choice."""

    def __init__(self, path: str, context: int, threads: int, adapter: dict[str, Any] | None) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = path
        parameters.n_ctx = context
        parameters.n_parallel = 1
        parameters.n_gpu_layers = 0
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        parameters.warmup = False
        parameters.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_F32
        parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        # With the whole cache kept, a prompt that continues an earlier one attends beyond the window.
        parameters.swa_full = False
        parameters.use_jinja = True
        parameters.ui = False
        self.lora: dict[str, Any] = {}
        if adapter is not None:
            parameters.lora_adapters = [_adapter(adapter["path"])]
            # Said in every request: without, all adapters are on.
            self.lora = {"lora": [{"id": 0, "scale": adapter["scale"]}]}
        self.key = secrets.token_hex(16)
        parameters.api_keys = [self.key]
        self.server = xllamacpp.Server(parameters)
        self.address = urlsplit(self.server.listening_address)

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request. Raises RuntimeError with the engine's own words when it refuses."""
        connection = http.client.HTTPConnection(str(self.address.hostname), self.address.port, timeout=TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", errors="replace")
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(text[:300])
        found: dict[str, Any] = json.loads(text)
        return found

    def prompt(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        """The ids that a chat request would be answered from, or the error of a template it can't render."""
        try:
            text = self.ask("/apply-template", {"messages": messages})["prompt"]
            # As its chat route does: one BOS, whether the template or the tokenizer writes it.
            ids = self.ask("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
            bare = self.ask("/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]
        except RuntimeError as error:
            return {"error": str(error)}
        doubled = len(ids) == len(bare) + 1 and ids[:1] == bare[:1]
        return {"ids": bare if doubled else ids}

    def answer(self, prompt: list[int], limit: int) -> dict[str, Any]:
        """A greedy answer: its ids, with the stop token where there was one, and what ended it ("eos" or "limit")."""
        body = {"prompt": prompt, "n_predict": limit, "temperature": 0, "cache_prompt": False, "return_tokens": True}
        found = self.ask("/completion", body | self.lora)
        return {"tokens": found["tokens"], "ended": found["stop_type"]}

    def score(self, prompt: list[int], answer: list[int], top: int) -> list[list[list[float]]]:
        """For each token of a given answer: the `top` likeliest tokens at its place as [id, log-probability].

        The engine keeps the probabilities of a token back until its text is whole, and those of a stop token for good.
        So a letter is forced into each place; the probabilities are those from before it was forced.
        """
        letter = self.ask("/tokenize", {"content": "a", "add_special": False})["tokens"][-1]
        body = {"n_predict": 1, "temperature": 0, "n_probs": top, "logit_bias": [[letter, 1e6]], "cache_prompt": True}
        body |= self.lora
        places = []
        for length in range(len(answer)):
            found = self.ask("/completion", {**body, "prompt": prompt + answer[:length]})
            likeliest = found["completion_probabilities"][0]["top_logprobs"]
            places.append([[one["id"], one["logprob"]] for one in likeliest])
        return places


def _adapter(path: str) -> xllamacpp.CommonAdapterLoraInfo:
    found = xllamacpp.CommonAdapterLoraInfo()
    found.path, found.scale = path, 1.0
    return found


def probe(question: dict[str, Any]) -> dict[str, Any]:
    """Asks one file everything: prompts of conversations, answers, scores of given answers."""
    engine = Engine(question["model"], question["context"], question["threads"], question["adapter"])
    items = question["items"]
    return {
        "engine": f"xllamacpp {version('xllamacpp')}",
        "prompts": [engine.prompt(messages) for messages in question["conversations"]],
        "answers": [engine.answer(item["prompt"], question["max_new_tokens"]) for item in items],
        "scores": [engine.score(item["prompt"], item["answer"], question["top"]) for item in items],
    }


def main() -> None:
    """Keeps standard output for the answer alone: whatever the engine prints there goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        found = probe(json.load(sys.stdin))
    except (RuntimeError, OSError, LookupError, ValueError) as error:  # the engine's refusals, in whatever form
        found = {"error": f"{type(error).__name__}: {error}"}
    answers.write(json.dumps(found))
    answers.close()


if __name__ == "__main__":
    main()
