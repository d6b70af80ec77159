"""Adapters of strangers: settings that name code, endless patterns or other models, and weights that do not fit."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.bad_inputs.case import Case, Made, Refused, Survived, run_of
from tests.bad_inputs.weights import joined, split

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
ADD = ("adapters", "{data}/adapter=1", "--combine", "{runs}/r/sum", "--out", "{runs}")
CHAT = ("chat", "r", "--out", "{runs}", "--max-new-tokens", "2")
DEEP = "[" * 100_000

SETTINGS: Mapping[str, tuple[Any, list[str] | None]] = {
    "another kind": ({"peft_type": "LOHA"}, ["plain LoRA"]),
    "a kind that does not exist": ({"peft_type": "__import__('os')"}, ["plain LoRA"]),
    "DoRA that is none": ({"use_dora": True}, ["plain LoRA"]),
    "whole modules to save": ({"modules_to_save": ["lm_head"]}, ["plain LoRA"]),
    "biases": ({"bias": "all"}, ["plain LoRA"]),
    "an endless pattern of ranks": ({"alpha_pattern": {"(a+)+$": 4}}, ["alpha_pattern"]),
    "a pattern of many stars": ({"alpha_pattern": {".*" * 30 + "x": 4}}, ["alpha_pattern"]),
    "patterns that are a list": ({"alpha_pattern": ["x"]}, ["alpha_pattern"]),
    "an alpha of nothing": ({"lora_alpha": None}, ["lora_alpha"]),
    "an alpha without end": ({"lora_alpha": 1e999}, ["lora_alpha"]),
    "an alpha below zero": ({"lora_alpha": -1}, ["lora_alpha"]),
    "targets that are an endless pattern": ({"target_modules": "(a+)+$"}, None),
    "a base at an address": ({"base_model_name_or_path": "https://127.0.0.1:1/evil"}, None),
    "code of its own": ({"auto_mapping": {"base_model_class": "Evil", "parent_library": "evil"}}, None),
}  # fmt: skip


def adapter(folder: Path) -> Path:
    """The adapter of the trained run in a folder of its own."""
    made = folder / "adapter"
    made.mkdir()
    for name in (CONFIG, WEIGHTS):
        (made / name).write_bytes((run_of(folder) / "adapter" / name).read_bytes())
    return made


def with_settings(change: dict[str, Any], words: list[str] | None, folder: Path, rng: Random) -> Made:
    path = adapter(folder) / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    return Made("", Survived() if words is None else Refused(words, 2), command=ADD)


def with_text(content: bytes, folder: Path, rng: Random) -> Made:
    (adapter(folder) / CONFIG).write_bytes(content)
    return Made("", Refused(["adapter"], 2), command=ADD)


def other_rank(raw: bytes) -> bytes:
    """A is said to have twice the rows that B has columns."""
    header, data = split(raw)
    name = next(one for one in header if one.endswith("lora_A.weight"))
    rows, columns = header[name]["shape"]
    header[name]["shape"] = [rows * 2, columns // 2]
    return joined(json.dumps(header).encode(), data)


def not_finite(raw: bytes) -> bytes:
    header, data = split(raw)
    return joined(json.dumps(header).encode(), struct.pack("<f", float("inf")) + data[4:])


def with_weights(which: str, folder: Path, rng: Random) -> Made:
    """Damaged weights, to be added up."""
    path = adapter(folder) / WEIGHTS
    path.write_bytes(other_rank(path.read_bytes()) if which == "rank" else not_finite(path.read_bytes()))
    return Made("", Refused(["adapter"], 2), command=ADD)


def in_the_run(which: str, folder: Path, rng: Random) -> Made:
    """The run's own adapter changed behind its back, then talked to."""
    path = run_of(folder) / "adapter" / WEIGHTS
    raw = path.read_bytes()
    path.write_bytes({"rank": other_rank, "cut": lambda content: content[: len(content) // 2]}[which](raw))
    return Made("", Refused(["adapter"], 2), command=CHAT)


CASES = (
    *(Case(f"an adapter with {what}", partial(with_settings, *case), run=True) for what, case in SETTINGS.items()),
    Case("an adapter whose settings are a list", partial(with_text, b"[1]"), run=True),
    Case("an adapter whose settings are nested 100,000 deep", partial(with_text, DEEP.encode()), run=True),
    Case("an adapter whose halves do not fit", partial(with_weights, "rank"), run=True),
    Case("an adapter with infinity", partial(with_weights, "infinity"), run=True),
    Case("a run whose adapter does not fit its model", partial(in_the_run, "rank"), run=True),
    Case("a run whose adapter is cut", partial(in_the_run, "cut"), run=True),
)
