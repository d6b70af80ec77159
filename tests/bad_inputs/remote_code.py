"""Models, adapters and folders that bring Python of their own: none of it is imported."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.bad_inputs.case import Case, Made, Survived, run_of
from tests.bad_inputs.pickles import CHAT, PREPARE, SHOW, TRAIN, rows
from tests.bad_inputs.weights import model_copy

NAMES = ("modeling_evil", "configuration_evil", "tokenization_evil", "processing_evil", "evil", "handler", "__init__")
CLASSES = {"AutoConfig": "configuration_evil.Evil", "AutoModelForCausalLM": "modeling_evil.Evil",
           "AutoTokenizer": ["tokenization_evil.Evil", "tokenization_evil.Evil"]}  # fmt: skip

CHANGES: Mapping[str, tuple[str, dict[str, Any], Sequence[str]]] = {
    "auto_map beside a known type": ("config.json", {"auto_map": CLASSES}, PREPARE),
    "auto_map and an unknown type": ("config.json", {"auto_map": CLASSES, "model_type": "evil"}, TRAIN),
    "auto_map inside another configuration": (
        "config.json",
        {"text_config": {"auto_map": CLASSES, "model_type": "evil"}, "model_type": "gemma3"},
        PREPARE,
    ),
    "auto_map of another repository": (
        "config.json",
        {"auto_map": {"AutoConfig": "evil/other--configuration_evil.Evil"}},
        SHOW,
    ),
    "auto_map of a tokenizer": ("tokenizer_config.json", {"auto_map": CLASSES, "tokenizer_class": "Evil"}, PREPARE),
    "a tokenizer's class of its own": ("tokenizer_config.json", {"tokenizer_class": "evil.Evil"}, SHOW),
    "a processor of its own": ("processor_config.json", {"auto_map": {"AutoProcessor": "processing_evil.Evil"}}, SHOW),
    "a quantiser of its own": (
        "config.json",
        {"quantization_config": {"quant_method": "evil", "modules": "evil"}},
        TRAIN,
    ),
    "a type that is a path": ("config.json", {"model_type": "../../evil", "architectures": ["evil.Evil"]}, PREPARE),
    "trust written into its files": ("config.json", {"trust_remote_code": True, "auto_map": CLASSES}, TRAIN),
}


def python(folder: Path, canary: Path) -> None:
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(canary)!r}, 'w')\nclass Evil: pass\n")


def changed(name: str, change: dict[str, Any], command: Sequence[str], folder: Path, rng: Random) -> Made:
    rows(folder)
    model = model_copy(folder)
    python(model, folder / "canary")
    path = model / name
    before = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(before | change))
    return Made("", Survived(), command=command)


def in_an_adapter(folder: Path, rng: Random) -> Made:
    adapter = run_of(folder) / "adapter"
    python(adapter, folder / "canary")
    path = adapter / "adapter_config.json"
    code = {"base_model_class": "Evil", "parent_library": "evil"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_mapping": code, "peft_version": "evil"}))
    return Made("", Survived(), command=CHAT)


def where_the_command_starts(folder: Path, rng: Random) -> Made:
    """Files in the current folder that are called as modules are."""
    rows(folder)
    model_copy(folder)
    for name in ("sitecustomize", "llguidance", "sacrebleu", "lm_eval", "xllamacpp", "yaml", "token"):
        (folder.parent / "here" / f"{name}.py").write_text(f"open({str(folder / 'canary')!r}, 'w')\n")
    return Made("", Survived(), command=TRAIN)


CASES = (
    *(Case(f"a model with {what}", partial(changed, *case)) for what, case in CHANGES.items()),
    Case("an adapter with code of its own beside it", in_an_adapter, run=True),
    Case("modules where the command starts", where_the_command_starts),
)
