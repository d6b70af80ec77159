"""The configuration of a decoder out of GGUF metadata, with the keys and values of transformers' config.json."""

from __future__ import annotations

from typing import Any

import numpy as np

from burnish.core.errors import ModelError
from burnish.model.gguf_file import GGUFFile

MODEL_TYPES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma3": "gemma3_text", "phi3": "phi3"}
CLASSES = {
    "llama": "LlamaForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "gemma3_text": "Gemma3ForCausalLM",
    "phi3": "Phi3ForCausalLM",
}
GEMMA3_PATTERN = 6  # every sixth layer attends to the whole text
GEMMA3_27B_LAYERS = 62
LLAMA3_ROPE = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def gguf_config(file: GGUFFile) -> dict[str, Any]:
    """Raises ModelError: the architecture or one of its variants is not known, or a needed value is missing."""
    architecture = file.metadata.get("general.architecture")
    if not isinstance(architecture, str) or architecture not in MODEL_TYPES:
        raise ModelError(
            "GGUF files of this architecture cannot be read.",
            where=str(file.path),
            seen=str(architecture),
            next_move=f"known are {', '.join(MODEL_TYPES)}; others can be used as a folder of safetensors",
        )
    _refuse_variants(file, architecture)
    kind = MODEL_TYPES[architecture]
    heads = _count(file, "attention.head_count")
    hidden = _count(file, "embedding_length")
    config: dict[str, Any] = {
        "architectures": [CLASSES[kind]],
        "model_type": kind,
        "hidden_size": hidden,
        "intermediate_size": _count(file, "feed_forward_length"),
        "num_hidden_layers": _layers(file),
        "num_attention_heads": heads,
        "num_key_value_heads": _count(file, "attention.head_count_kv", heads),
        "head_dim": _count(file, "attention.key_length", hidden // heads),
        "max_position_embeddings": _count(file, "context_length"),
        "vocab_size": _vocabulary(file),
        "rms_norm_eps": _real(file, "attention.layer_norm_rms_epsilon"),
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "rope_theta": _real(file, "rope.freq_base", 10_000.0),
    }
    config |= _rope(file, config) | _special_ids(file) | _own_keys(file, config)
    _check(file, config)
    return config


def _refuse_variants(file: GGUFFile, architecture: str) -> None:
    if file.metadata.get("split.count", 1) not in (0, 1):
        raise ModelError(
            "This is one part of a model in several GGUF files.",
            where=str(file.path),
            seen=f"{file.metadata['split.count']} parts",
            next_move="join them with `llama-gguf-split --merge` and name the joined file",
        )
    if file.metadata.get(f"{architecture}.expert_count", 0):
        raise _cannot(file, "a mixture of experts")


def _layers(file: GGUFFile) -> int:
    layers = _count(file, "block_count")
    if layers > len(file.tensors):
        raise _wrong(file, "block_count", layers)
    return layers


def _vocabulary(file: GGUFFile) -> int:
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None:
        raise _wrong(file, "token_embd.weight", "no such tensor")
    return embedding.shape[0]


def _own_keys(file: GGUFFile, config: dict[str, Any]) -> dict[str, Any]:
    """What only this kind of model has."""
    kind = config["model_type"]
    if kind == "gemma3_text":
        return _gemma3_keys(file, config)
    return {"hidden_act": "silu"} | _plain_keys(file, kind)


def _plain_keys(file: GGUFFile, kind: str) -> dict[str, Any]:
    if kind == "llama":
        return {"attention_bias": "blk.0.attn_q.bias" in file.tensors, "mlp_bias": False}
    if kind == "qwen2":
        return {"use_sliding_window": False}
    if kind == "qwen3":
        return {"attention_bias": False, "use_sliding_window": False}
    return {"sliding_window": _optional(file, "attention.sliding_window")}


def _gemma3_keys(file: GGUFFile, config: dict[str, Any]) -> dict[str, Any]:
    layers, head = config["num_hidden_layers"], config["head_dim"]
    pattern = _count(file, "attention.sliding_window_pattern", GEMMA3_PATTERN)
    per_head = config["hidden_size"] // config["num_attention_heads"]
    return {
        "hidden_activation": "gelu_pytorch_tanh",
        "sliding_window": _count(file, "attention.sliding_window"),
        "layer_types": [
            "full_attention" if (layer + 1) % pattern == 0 else "sliding_attention" for layer in range(layers)
        ],
        "rope_theta": _real(file, "rope.freq_base", 1_000_000.0),
        "rope_local_base_freq": _real(file, "rope.freq_base_swa", 10_000.0),
        "query_pre_attn_scalar": per_head if layers == GEMMA3_27B_LAYERS else head,
        "attention_bias": False,
        "attn_logit_softcapping": None,
        "final_logit_softcapping": _optional(file, "final_logit_softcapping"),
    }


def _special_ids(file: GGUFFile) -> dict[str, Any]:
    keys = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    return {name: file.metadata.get(f"tokenizer.ggml.{key}_token_id") for name, key in keys.items()}


def _rope(file: GGUFFile, config: dict[str, Any]) -> dict[str, Any]:
    """`rope_scaling`, and `partial_rotary_factor` where only a part of a head is turned."""
    turned = _count(file, "rope.dimension_count", config["head_dim"])
    found: dict[str, Any] = {}
    if turned != config["head_dim"]:
        if config["model_type"] != "phi3":
            raise _cannot(file, f"rotary positions on {turned} of {config['head_dim']} dimensions")
        found["partial_rotary_factor"] = turned / config["head_dim"]
    return found | {"rope_scaling": _rope_scaling(file, config, turned)}


def _rope_scaling(file: GGUFFile, config: dict[str, Any], turned: int) -> dict[str, Any] | None:
    if "rope_freqs.weight" in file.tensors:
        return _llama3_scaling(file, config["rope_theta"], turned)
    if "rope_factors_long.weight" in file.tensors:
        return _longrope_scaling(file)
    kind = _value(file, "rope.scaling.type") or "none"
    if kind == "none":
        return None
    factor = _real(file, "rope.scaling.factor")
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor}
    if kind == "yarn":
        original = _count(file, "rope.scaling.original_context_length")
        return {"rope_type": "yarn", "factor": factor, "original_max_position_embeddings": original}
    raise _cannot(file, f"rotary scaling of type {kind}")


def _llama3_scaling(file: GGUFFile, theta: float, turned: int) -> dict[str, Any]:
    """Llama 3 stores only the divisors of the frequencies, (turned / 2,): the rule is recovered and checked."""
    stored = file.array("rope_freqs.weight").astype(np.float64).reshape(-1)
    factor = float(stored.max()) if stored.size else 1.0
    scaling = {"rope_type": "llama3", "factor": factor, **LLAMA3_ROPE}
    expected = llama3_divisors(turned, theta, scaling)
    if stored.shape != expected.shape or not np.allclose(stored, expected, rtol=1e-3):
        raise _cannot(file, "rotary factors other than Llama 3's")
    return scaling


def llama3_divisors(turned: int, theta: float, scaling: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Divisors of the rotary frequencies, (turned / 2,), of Llama 3's rule: 1 for short waves, `factor` for long ones,
    and between them interpolated in the number of turns within the original context.
    """
    waves = 2 * np.pi * theta ** (np.arange(0, turned, 2) / turned)
    turns = scaling["original_max_position_embeddings"] / waves
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    divisors: np.ndarray[Any, np.dtype[np.float64]] = 1 / ((1 - smooth) / scaling["factor"] + smooth)
    return divisors


def _longrope_scaling(file: GGUFFile) -> dict[str, Any]:
    if "rope_factors_short.weight" not in file.tensors:
        raise _wrong(file, "rope_factors_short.weight", "no such tensor")
    return {
        "rope_type": "longrope",
        "long_factor": file.array("rope_factors_long.weight").tolist(),
        "short_factor": file.array("rope_factors_short.weight").tolist(),
        "attention_factor": _real(file, "rope.scaling.attn_factor", 1.0),
        "original_max_position_embeddings": _count(file, "rope.scaling.original_context_length"),
    }


def _check(file: GGUFFile, config: dict[str, Any]) -> None:
    if config["num_attention_heads"] % config["num_key_value_heads"]:
        raise _wrong(file, "attention.head_count_kv", config["num_key_value_heads"])
    if config["head_dim"] % 2:
        raise _wrong(file, "attention.key_length", config["head_dim"])
    if _count(file, "attention.value_length", config["head_dim"]) != config["head_dim"]:
        raise _cannot(file, "values of another width than keys")


def _value(file: GGUFFile, key: str) -> Any:
    return file.metadata.get(f"{file.metadata['general.architecture']}.{key}")


def _count(file: GGUFFile, key: str, default: int | None = None) -> int:
    """A positive whole number; an array of one repeated number counts as that number."""
    value = _value(file, key)
    if isinstance(value, list) and len(set(value)) == 1:
        value = value[0]
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise _wrong(file, key, value)
    return value


def _optional(file: GGUFFile, key: str) -> Any:
    """A positive number, or None where it is absent or 0."""
    value = _value(file, key)
    return value if isinstance(value, int | float) and value > 0 else None


def _real(file: GGUFFile, key: str, default: float | None = None) -> float:
    """A positive float32 as the shortest decimal that gives it: 1e-05, not 9.999999747378752e-06."""
    value = _value(file, key)
    value = default if value is None else value
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise _wrong(file, key, value)
    return float(str(np.float32(value)))


def _wrong(file: GGUFFile, key: str, value: Any) -> ModelError:
    return ModelError(
        f"The GGUF file says nothing usable for `{key}`.",
        where=str(file.path),
        seen=str(value)[:80],
        next_move="the file is incomplete or damaged; use another one",
    )


def _cannot(file: GGUFFile, what: str) -> ModelError:
    return ModelError(
        f"This model uses {what}, which Burnish cannot read from GGUF.",
        where=str(file.path),
        next_move="use the model's folder of safetensors, or another model",
    )
