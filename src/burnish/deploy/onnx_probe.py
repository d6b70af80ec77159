"""Runs an exported ONNX folder in onnxruntime and says what it answers: `PYTHON -I onnx_probe.py`.

It is run by the Python of another environment, where there is no Burnish: it imports nothing of it. The question comes
as JSON on standard input, the answer goes as JSON to standard output, all other talk to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from transformers import AutoTokenizer

PAST, PRESENT = "past_key_values.", "present."


class Model:
    """A decoder with a cache, fed by hand: so the file is asked, and no program's guess of its shapes."""

    def __init__(self, folder: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        path = str(folder / "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = {one.name for one in self.session.get_inputs()}
        self.cache = {one.name: one.shape for one in self.session.get_inputs() if one.name.startswith(PAST)}
        self.outputs = [one.name for one in self.session.get_outputs()]

    def empty(self) -> dict[str, Any]:
        """A cache of no places: (1, heads, 0, width) for keys and values of each layer."""
        return {name: np.zeros((1, shape[1], 0, shape[3]), np.float32) for name, shape in self.cache.items()}

    def read(self, tokens_T: list[int], past: dict[str, Any], seen: int) -> tuple[Any, dict[str, Any]]:
        """Logits (T, V) in float64 after `seen` places in the cache, and the longer cache."""
        total = seen + len(tokens_T)
        fed = {
            "input_ids": np.array([tokens_T], np.int64),
            "attention_mask": np.ones((1, total), np.int64),
            "position_ids": np.arange(seen, total, dtype=np.int64)[None],
        }
        given = {name: value for name, value in fed.items() if name in self.inputs} | past
        found = dict(zip(self.outputs, self.session.run(None, given), strict=True))
        longer = {name: found[PRESENT + name[len(PAST) :]] for name in self.cache}
        return found["logits"][0].astype(np.float64), longer


def answer(model: Model, prompt: list[int], stops: set[int], limit: int) -> dict[str, Any]:
    """A greedy answer without its stop token, and whether one ended it."""
    logits_T_V, cache = model.read(prompt, model.empty(), 0)
    tokens: list[int] = []
    while len(tokens) < limit:
        token = int(logits_T_V[-1].argmax())
        if token in stops:
            return {"tokens": tokens, "stopped": True}
        tokens.append(token)
        if len(tokens) < limit:
            logits_T_V, cache = model.read([token], cache, len(prompt) + len(tokens) - 1)
    return {"tokens": tokens, "stopped": False}


def places(model: Model, prompt: list[int], given: list[int], top: int) -> list[list[list[float]]]:
    """For each token of a given answer: the `top` likeliest tokens at its place as [id, log-probability]."""
    logits_T_V, _ = model.read([*prompt, *given[:-1]], model.empty(), 0)
    found = []
    for logits_V in logits_T_V[len(prompt) - 1 :][: len(given)]:
        highest = logits_V.max()
        logprobs_V = logits_V - highest - np.log(np.exp(logits_V - highest).sum())
        likeliest = np.argsort(-logprobs_V, kind="stable")[:top]
        found.append([[int(token), float(logprobs_V[token])] for token in likeliest])
    return found


def stop_tokens(folder: Path) -> set[int]:
    """Those that the folder's own generation settings name."""
    stops = json.loads((folder / "generation_config.json").read_text(encoding="utf-8")).get("eos_token_id") or []
    return set(stops) if isinstance(stops, list) else {stops}


def probe(question: dict[str, Any]) -> dict[str, Any]:
    """Asks one folder everything: prompts of conversations, answers, places of given answers."""
    folder = Path(question["folder"])
    model, stops = Model(folder, question["threads"]), stop_tokens(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    items = question["items"]
    return {
        "engine": f"onnxruntime {onnxruntime.__version__}, written by optimum-onnx {version('optimum-onnx')}",
        "prompts": [
            list(tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))
            for messages in question["conversations"]
        ],
        "answers": [answer(model, item["prompt"], stops, question["max_new_tokens"]) for item in items],
        "places": [places(model, item["prompt"], item["answer"], question["top"]) for item in items],
    }


def main() -> None:
    """Keeps standard output for the answer alone. An error ends the process with its traceback on standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    replies.write(json.dumps(probe(json.load(sys.stdin))))
    replies.close()


if __name__ == "__main__":
    main()
