"""A model folder as the hub and `save_pretrained` lay it out: config.json, safetensors, a tokenizer."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import PreTrainedConfig, PreTrainedTokenizerFast

from burnish.core.errors import ModelError
from burnish.core.panics import as_model_error

INDEX = "model.safetensors.index.json"
MOST_HEADER_BYTES = 100_000_000  # as safetensors has it
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "tekken.json")
AGAIN = "download or save the model again"
MOST_GROWTH = 64  # letters for one; sentencepiece's space is 1
MULTIMODAL = {"gemma3": "gemma3_text"}


def folder_config(folder: Path) -> dict[str, Any]:
    """config.json. Of a multimodal Gemma 3 only the text model is taken.

    Raises ModelError: it is missing, not JSON, or names a model type that transformers does not have.
    """
    # transformers' registers take a quarter of a second, which a GGUF file does not need.
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config = _json(folder, "config.json", "this is not a model folder: save the model with `save_pretrained`")
    kind = config.get("model_type")
    if isinstance(kind, str) and kind in MULTIMODAL and isinstance(config.get("text_config"), dict):
        tied = config.get("tie_word_embeddings", True)
        return {"tie_word_embeddings": tied, **config["text_config"], "model_type": MULTIMODAL[kind]}
    if isinstance(kind, str) and kind in CONFIG_MAPPING:
        return config
    own_code = "auto_map" in config
    raise ModelError(
        "This model needs code of its own, which Burnish does not run."
        if own_code
        else "config.json names a type of model that is not known.",
        where=str(folder / "config.json"),
        seen=f"model_type {kind}",
        next_move="use a model of a type that transformers has built in, or install a newer transformers",
    )


def folder_generation(folder: Path) -> dict[str, Any]:
    """generation_config.json with `eos_token_id` as a list; {} where there is none."""
    if not (folder / "generation_config.json").is_file():
        return {}
    generation = _json(folder, "generation_config.json", "")
    ends = generation.get("eos_token_id")
    return generation | ({"eos_token_id": [ends] if isinstance(ends, int) else ends} if ends is not None else {})


def folder_tensors(folder: Path, config: dict[str, Any]) -> dict[str, torch.Tensor]:
    """All weights. Raises ModelError: there are none, they are pickles, a shard is missing or cut short."""
    tensors: dict[str, torch.Tensor] = {}
    for path in _shards(folder):
        try:
            _check_names(path)
            shard = load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(
                "The weights are damaged.",
                where=str(path),
                seen=str(error)[:120],
                next_move=AGAIN,
            ) from error
        if twice := sorted(tensors.keys() & shard.keys()):
            raise ModelError("A weight stands in two files.", where=str(path), seen=twice[0], next_move=AGAIN)
        tensors |= shard
    if config["model_type"] in MULTIMODAL.values():
        tensors = _text_part(tensors)
    if config.get("tie_word_embeddings"):
        tensors.pop("lm_head.weight", None)
    return tensors


def _check_names(path: Path) -> None:
    """Raises ModelError: the header names a tensor twice, of which each program may take another."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(MOST_HEADER_BYTES, path.stat().st_size):
            return  # safetensors refuses it, and says so better
        header = file.read(length)
    try:
        names = [name for name, _ in json.loads(header, object_pairs_hook=list)]
    except (ValueError, TypeError, RecursionError):
        return
    ((twice, times),) = Counter(names).most_common(1) or [("", 1)]
    if times > 1:
        raise ModelError("A weight stands twice in a file.", where=str(path), seen=str(twice)[:80], next_move=AGAIN)


def folder_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Raises ModelError: the folder has no tokenizer, it is damaged, or it needs code of its own."""
    if not folder.is_dir():
        raise ModelError("There is no such model folder.", where=str(folder), next_move="check the path")
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelError(
            "The model folder has no tokenizer.",
            where=str(folder),
            next_move="copy tokenizer.json and tokenizer_config.json of the same model into it",
        )
    from transformers import AutoTokenizer  # as `CONFIG_MAPPING` above

    with as_model_error(lambda error: _bad_tokenizer(folder, error)):
        tokenizer = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True, config=_named_type(folder)
        )
        normaliser = tokenizer.backend_tokenizer.normalizer if isinstance(tokenizer, PreTrainedTokenizerFast) else None
        growth = _growth(json.loads(normaliser.__getstate__())) if normaliser is not None else 1
    if growth > MOST_GROWTH:
        raise ModelError(
            "The tokenizer makes far more text of a text.",
            where=str(folder / "tokenizer.json"),
            seen=f"its normaliser makes up to {growth} letters of one",
            next_move="do not use this model: its tokenizer is broken or hostile",
        )
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError(
            "The tokenizer has no tokenizer.json form.",
            where=str(folder),
            seen=type(tokenizer).__name__,
            next_move="save it with `save_pretrained` as a fast tokenizer",
        )
    return tokenizer


def _growth(rule: dict[str, Any]) -> int:
    """How many letters a normaliser may make of one by what it puts in their place, all its steps together."""
    if rule.get("type") == "Replace":
        found = rule["pattern"].get("String")
        return max(1, -(-len(rule["content"]) // max(1, len(found or ""))))
    inside = rule.get("normalizers", [])
    return math.prod(map(_growth, inside))


def _named_type(folder: Path) -> PreTrainedConfig | None:
    """What transformers wants to know of the model where the tokenizer names its own class. To look the model's own
    class up imports torch's compiler: two seconds and 80 MB."""
    if not all((folder / name).is_file() for name in ("config.json", "tokenizer_config.json")):
        return None
    tokenizer = _json(folder, "tokenizer_config.json", "")
    if "tokenizer_class" not in tokenizer or "auto_map" in tokenizer:
        return None
    config = _json(folder, "config.json", "")
    known = ("model_type", "model_name", "tokenizer_class")
    named: dict[str, Any] = {"name_or_path": str(folder)} | {key: config[key] for key in known if key in config}
    return PreTrainedConfig(**named)


def _bad_tokenizer(folder: Path, error: BaseException) -> ModelError:
    return ModelError(
        "The tokenizer cannot be read.",
        where=str(folder),
        seen=str(error).strip()[:200],
        next_move="copy tokenizer.json and tokenizer_config.json of the same model into the folder",
    )


def _shards(folder: Path) -> list[Path]:
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    if (folder / INDEX).is_file():
        return _indexed(folder)
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        raise ModelError(
            "The weights are stored as a pickle.",
            where=str(folder / pickles[0]),
            next_move="a pickle can run code; convert it to safetensors where you trust it",
        )
    raise ModelError(
        "The model folder has no weights.",
        where=str(folder),
        next_move="put model.safetensors of the same model into it",
    )


def _indexed(folder: Path) -> list[Path]:
    where = folder / INDEX
    names = _json(folder, INDEX, "save the model again").get("weight_map")
    files = sorted(set(names.values())) if isinstance(names, dict) and all(map(_is_text, names.values())) else []
    if not files:
        raise ModelError("The index of the weights is empty.", where=str(where), next_move="save the model again")
    for name in files:
        if PurePosixPath(name).name != name or "\\" in name or not name.endswith(".safetensors"):
            raise ModelError(
                "The index of the weights names a file elsewhere.",
                where=str(where),
                seen=name[:80],
                next_move="do not use this model: its index reaches outside its folder, or names a pickle",
            )
        if not (folder / name).is_file():
            raise ModelError(
                "A part of the weights is missing.",
                where=str(folder / name),
                next_move=AGAIN,
            )
    return [folder / name for name in files]


def _text_part(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Drops a vision tower and brings the text model's names to those it has on its own."""
    text: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        if "vision_tower" in name or "multi_modal_projector" in name:
            continue
        for prefix in ("language_model.model.", "model.language_model."):
            name = "model." + name.removeprefix(prefix) if name.startswith(prefix) else name
        text[name.removeprefix("language_model.") if name.startswith("language_model.lm_head") else name] = tensor
    return text


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _json(folder: Path, name: str, next_move: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise ModelError(f"The model folder has no {name}.", where=str(folder), next_move=next_move or AGAIN)
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{name} cannot be read.", where=str(path), seen=str(error)[:120], next_move=AGAIN) from error
    if not isinstance(value, dict):
        raise ModelError(f"{name} is not a mapping.", where=str(path), seen=type(value).__name__, next_move=AGAIN)
    return value
