"""llama.cpp on this machine, and tiny GGUF files for it to read."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFWriter


@dataclass(frozen=True)
class LlamaCpp:
    """One model in llama.cpp's server, on loopback; float32 caches, so that it can be compared to the last digits."""

    server: Any

    def post(self, route: str, body: dict[str, Any]) -> Any:
        address = f"{self.server.listening_address}{route}"
        request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def ids(self, text: str, *, parse_special: bool = True, add_special: bool = False) -> list[int]:
        body = {"content": text, "parse_special": parse_special, "add_special": add_special}
        ids: list[int] = self.post("/tokenize", body)["tokens"]
        return ids

    def greedy(self, ids: list[int], count: int) -> tuple[list[int], list[float]]:
        """The next `count` tokens and the log-probability of each."""
        body = {"prompt": ids, "n_predict": count, "temperature": 0, "n_probs": 1, "ignore_eos": False}
        steps = self.post("/completion", body)["completion_probabilities"]
        return [step["id"] for step in steps], [step["logprob"] for step in steps]


@pytest.fixture(scope="session")
def llama_cpp() -> Callable[[Path], LlamaCpp]:
    """Starts a server for a .gguf file; it ends with the object."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="needs xllamacpp: pip install burnish[llamacpp]")

    def start(path: Path) -> LlamaCpp:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx, parameters.n_parallel, parameters.warmup = 64, 1, False
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
        parameters.n_batch = parameters.n_ubatch = 64
        parameters.fit_params = False
        parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        return LlamaCpp(xllamacpp.Server(parameters))

    return start


Values = dict[str, int | float | str | bool | list[Any]]


@pytest.fixture(scope="session")
def write_gguf() -> Callable[[Path, str, Values, dict[str, np.ndarray]], Path]:
    """Writes a file with the `gguf` package: path, architecture, metadata, tensors."""

    def write(path: Path, architecture: str, values: Values, tensors: dict[str, np.ndarray]) -> Path:
        writer = GGUFWriter(path, architecture)
        adders = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        for key, value in values.items():
            {**adders, list: writer.add_array}[type(value)](key, value)
        for name, tensor in tensors.items():
            writer.add_tensor(name, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return write


@pytest.fixture(scope="session")
def small_vocabulary(smollm_path: Path) -> Values:
    """The first tokens and merges of SmolLM2: a whole byte-level tokenizer that loads quickly."""
    from burnish.model.gguf_file import read_gguf

    metadata = read_gguf(smollm_path).metadata
    tokens, merges = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.merges"]
    kept = 4096
    known = set(tokens[:kept])
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens[:kept],
        "tokenizer.ggml.token_type": metadata["tokenizer.ggml.token_type"][:kept],
        "tokenizer.ggml.merges": [merge for merge in merges if merge.replace(" ", "") in known],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
