"""What a GGUF file says of the model: copied from the base where that is a GGUF, else written from its config.json."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import GGUFValueType

from burnish.core.errors import ModelError
from burnish.deploy.gguf_vocabulary import vocabulary_metadata, with_added
from burnish.deploy.gguf_write import Value
from burnish.deploy.licence import stated_licence
from burnish.model.checkpoint import Checkpoint
from burnish.model.config import DecoderConfig
from burnish.model.gguf_config import GEMMA3_27B_LAYERS, GEMMA3_PATTERN
from burnish.model.gguf_file import read_gguf
from burnish.model.gguf_inverse import ARCHITECTURES

UINT32, FLOAT32, STRING = GGUFValueType.UINT32, GGUFValueType.FLOAT32, GGUFValueType.STRING
# True of the base's file only: its weights' format, its parts, what it was made from.
NOT_COPIED = (
    "general.file_type", "general.quantization_version", "general.alignment", "general.name", "general.finetune",
    "general.base_model.", "general.quantized_by", "general.uuid", "split.", "quantize.",
)  # fmt: skip
END_KEYS = tuple(f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom"))


def model_metadata(
    checkpoint: Checkpoint, config: DecoderConfig, *, name: str, template: str, stop_ids: Iterable[int]
) -> dict[str, Value]:
    """All values but those of the number format.

    Raises ModelError: the model has an option that llama.cpp does not compute, or a tokenizer it does not have.
    """
    if checkpoint.path.is_file():
        own = with_added(copied(checkpoint.path), checkpoint.tokenizer, checkpoint.new_ids, config.vocab)
    else:
        own = _from_config(checkpoint, config)
    base = own.pop("general.base_name", Value(checkpoint.path.name, STRING))
    described = {
        "general.name": Value(name, STRING),
        "general.description": Value(f"{name}, trained with Burnish. Its card: README.md beside this file.", STRING),
        "general.base_model.count": Value(1, UINT32),
        "general.base_model.0.name": base,
        "tokenizer.chat_template": Value(template, STRING),
    }
    return with_stops({**own, **described}, stop_ids)


def copied(path: Path) -> dict[str, Value]:
    """The base's values, with its name under `general.base_name`."""
    file = read_gguf(path)
    values = {key: Value(value, *file.kinds[key]) for key, value in file.metadata.items() if value != []}
    kept = {key: value for key, value in values.items() if not key.startswith(NOT_COPIED)}
    if "general.name" in values:
        kept["general.base_name"] = values["general.name"]
    return kept


def with_stops(metadata: dict[str, Value], stop_ids: Iterable[int]) -> dict[str, Value]:
    """Names every token that ends an answer; GGUF has room for three: end of text, of a turn, of a message.

    Raises ModelError: there are more.
    """
    named = {key: metadata[key].value for key in END_KEYS if key in metadata}
    missing = [index for index in sorted(stop_ids) if index not in named.values()]
    free = [key for key in END_KEYS if key not in named]
    if len(missing) > len(free):
        raise ModelError(
            "More tokens end an answer than GGUF can name.",
            seen=", ".join(map(str, sorted(stop_ids))),
            next_move="leave the gguf forms out of `export`",
        )
    return metadata | {key: Value(index, UINT32) for key, index in zip(free, missing, strict=False)}


def rotary_divisors(config: DecoderConfig) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """Llama 3's divisors of the rotary frequencies, (head_width / 2,), which GGUF keeps as a tensor; else None."""
    rope = config.ropes[0]
    if rope.kind != "llama3":
        return None
    stretched = rope.inverse_frequencies(config.head_width)
    plain = [rope.theta ** (-2 * i / config.head_width) for i in range(config.head_width // 2)]
    return np.divide(plain, stretched).astype(np.float32)


def _from_config(checkpoint: Checkpoint, config: DecoderConfig) -> dict[str, Value]:
    _refuse_variants(config)
    architecture = ARCHITECTURES[config.model_type]
    window = config.windows[0]
    counts = {
        "block_count": config.layers,
        # llama.cpp has no window in this architecture: within one window the two are the same.
        "context_length": min(config.context, window) if window and not config.gemma else config.context,
        "embedding_length": config.width,
        "feed_forward_length": config.mlp_width,
        "attention.head_count": config.heads,
        "attention.head_count_kv": config.key_value_heads,
        "attention.key_length": config.head_width,
        "attention.value_length": config.head_width,
        "rope.dimension_count": config.head_width,
        "vocab_size": config.vocab,
    } | ({"attention.sliding_window": window} if config.gemma and window else {})
    full = config.ropes[-1] if not config.gemma else next(r for r, w in _layers(config) if w is None)
    reals = {"attention.layer_norm_rms_epsilon": config.norm_epsilon, "rope.freq_base": full.theta}
    scaling: dict[str, Value] = {}
    if full.kind == "linear":
        reals["rope.scaling.factor"] = full.factor
        scaling = {f"{architecture}.rope.scaling.type": Value("linear", STRING)}
    licence = stated_licence(checkpoint.path)
    return {
        **({"general.license": Value(licence, STRING)} if licence else {}),
        "general.architecture": Value(architecture, STRING),
        "general.type": Value("model", STRING),
        **{f"{architecture}.{key}": Value(count, UINT32) for key, count in counts.items()},
        **{f"{architecture}.{key}": Value(real, FLOAT32) for key, real in reals.items()},
        **scaling,
        **vocabulary_metadata(checkpoint.tokenizer, config.vocab),
    }


def _layers(config: DecoderConfig) -> list[tuple[Any, int | None]]:
    return list(zip(config.ropes, config.windows, strict=True))


def _refuse_variants(config: DecoderConfig) -> None:
    """What llama.cpp fixes for an architecture, and this model has otherwise."""
    odd = ""
    if config.model_type in ("qwen2", "qwen3") and any(config.windows):
        odd = "a sliding window"
    if config.gemma:
        expected = [(layer + 1) % GEMMA3_PATTERN != 0 for layer in range(config.layers)]
        local = [rope for rope, window in _layers(config) if window is not None]
        per_head = config.width // config.heads if config.layers == GEMMA3_27B_LAYERS else config.head_width
        if [window is not None for window in config.windows] != expected or all(expected):
            odd = "another order of local and global layers"
        elif any(rope.theta != 10_000.0 or rope.kind != "default" for rope in local):
            odd = "another base of the local rotary waves"
        elif config.softcap or abs(config.attention_scale - per_head**-0.5) > 1e-9:
            odd = "another scale of attention"
    if odd:
        raise ModelError(
            f"This model has {odd}, which llama.cpp does not compute for {config.model_type}.",
            where="config.json",
            next_move="leave the gguf forms out of `export`",
        )
