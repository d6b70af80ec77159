"""Sees what a transformers Trainer reads and how long its steps take, from outside: a callback and a forward hook."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "llamafactory")


class Meter(TrainerCallback):
    """Seconds, real tokens, rows and loss of each step, and the rows of the first one as the network receives them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.tokens: list[int] = []
        self.rows: list[int] = []
        self.losses: list[float] = []
        self.first_update: list[dict[str, list[int]]] = []
        self.looking = False

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        model.register_forward_pre_hook(self.look, with_kwargs=True)

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.looking = True
        self.started = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append(time.perf_counter() - self.started)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))

    def look(self, module: Any, positional: Any, named: dict[str, Any]) -> None:
        """The first forward pass of a step; a reference's pass over the same rows is not counted again."""
        if not self.looking:
            return
        self.looking = False
        ids, mask, labels = named["input_ids"], named["attention_mask"], named["labels"]
        self.tokens.append(int(mask.sum()))
        self.rows.append(len(ids))
        if not self.first_update:
            for row, kept, label in zip(ids, mask.bool(), labels, strict=True):
                learnt = row[kept & (label != -100)]
                self.first_update.append({"ids": row[kept].tolist(), "learnt": learnt.tolist()})

    def write(self, path: Path, **facts: Any) -> None:
        """What the benchmark reads."""
        versions = {}
        for name in PACKAGES:
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        measured = {"seconds": self.seconds, "tokens": self.tokens, "rows": self.rows, "losses": self.losses,
                    "first_update": self.first_update}  # fmt: skip
        path.write_text(json.dumps({**measured, **facts, "versions": versions}), "utf-8")


def common_arguments(text: str | None) -> argparse.ArgumentParser:
    """What every peer is told."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--model", required=True, help="transformers folder in bf16")
    parser.add_argument("--rows", type=Path, required=True, help="rows as token ids, in the order of the updates")
    parser.add_argument("--start", type=Path, help="adapter to start from, in peft's layout")
    parser.add_argument("--method", choices=["lora", "full"], default="lora")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True, help="rows an update")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--weights", choices=["bfloat16", "float32"], default="bfloat16", help="of the base model")
    parser.add_argument("--products", choices=["bfloat16", "float32"], default="bfloat16", help="autocast, or none")
    parser.add_argument("--checkpointing", action="store_true", help="compute activations twice to save memory")
    parser.add_argument("--folder", type=Path, required=True, help="for what the trainer itself writes")
    parser.add_argument("--out", type=Path, required=True, help="file for the measurements")
    return parser


def read_rows(path: Path) -> list[dict[str, Any]]:
    """One JSON object a line."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def threads() -> int:
    """As OMP_NUM_THREADS says, for both sides alike."""
    return torch.get_num_threads()
