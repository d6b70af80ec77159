"""A decoder's configuration and weights out of a GGUF file, in transformers' terms.

GGUF differs from transformers in three ways that are undone here: names; the row order of q and k in the `llama`
family (rotary pairs lie next to each other there, half a head apart here); and Gemma's norm weights, stored as 1 + w.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gguf.constants import GGMLQuantizationType

from burnish.core.errors import ModelError
from burnish.model.gguf_file import GGUFFile

COMMON = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
LAYER_NAMES: dict[str, dict[str, str]] = {
    "llama": COMMON,
    "qwen2": COMMON,
    "qwen3": COMMON,
    "gemma3_text": COMMON
    | {
        "ffn_norm": "pre_feedforward_layernorm",
        "post_attention_norm": "post_attention_layernorm",
        "post_ffw_norm": "post_feedforward_layernorm",
    },
    "phi3": COMMON | {"attn_qkv": "self_attn.qkv_proj", "ffn_up": "mlp.gate_up_proj"},
}
OUTER_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
# Factors of the rotary frequencies: they belong to the configuration.
NOT_WEIGHTS = {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}


@dataclass(frozen=True)
class LazyTensors(Mapping[str, torch.Tensor]):
    """Weights that are read when they are asked for, so that the model never lies in memory in float32 as a whole.

    stored: transformers' name → the file's.
    """

    file: GGUFFile
    config: dict[str, Any]
    stored: Mapping[str, str]

    def __getitem__(self, name: str) -> torch.Tensor:
        return _to_transformers(_tensor(self.file, self.stored[name]), name, self.config)

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)


def gguf_tensors(file: GGUFFile, config: dict[str, Any]) -> LazyTensors:
    """All weights under transformers' names; block types become float32, others stay as stored.

    Raises ModelError: a tensor is missing, unexpected, of another shape than the configuration says, or unreadable.
    """
    shapes = expected_shapes(config, biased={name for name in file.tensors if name.endswith(".bias")})
    names = {name: transformers_name(name, config["model_type"]) for name in file.tensors if name not in NOT_WEIGHTS}
    if unknown := sorted(name for name, new in names.items() if new not in shapes):
        raise _mismatch(file, f"The tensor {unknown[0]} has no place in a model of this kind.", f"{len(unknown)} such")
    if missing := sorted(shapes.keys() - names.values()):
        raise _mismatch(file, f"The weight {missing[0]} is missing.", f"{len(missing)} missing")
    for name, new in names.items():
        if file.tensors[name].shape != shapes[new]:
            seen = f"{file.tensors[name].shape} instead of {shapes[new]}"
            raise _mismatch(file, f"The tensor {name} has another shape than the configuration says.", seen)
    return LazyTensors(file, config, {new: name for name, new in names.items()})


def transformers_name(name: str, model_type: str) -> str:
    """`blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; "" for a name that is not known."""
    if name in OUTER_NAMES:
        return OUTER_NAMES[name]
    parts = name.split(".")
    if len(parts) != 4 or parts[0] != "blk" or parts[2] not in LAYER_NAMES[model_type]:
        return ""
    return f"model.layers.{parts[1]}.{LAYER_NAMES[model_type][parts[2]]}.{parts[3]}"


def expected_shapes(config: dict[str, Any], biased: set[str]) -> dict[str, tuple[int, ...]]:
    """Every weight that the configuration calls for, with its shape. `biased`: GGUF names of the biases in the file,
    of which only the attention's are known.
    """
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    head = config["head_dim"]
    q, kv = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    kind = config["model_type"]
    sizes: dict[str, tuple[int, ...]] = {
        "attn_norm": (hidden,),
        "ffn_norm": (hidden,),
        "attn_output": (hidden, q),
        "ffn_down": (hidden, inner),
    }
    if kind == "phi3":
        sizes |= {"attn_qkv": (q + 2 * kv, hidden), "ffn_up": (2 * inner, hidden)}
    else:
        sizes |= {"attn_q": (q, hidden), "attn_k": (kv, hidden), "attn_v": (kv, hidden)}
        sizes |= {"ffn_gate": (inner, hidden), "ffn_up": (inner, hidden)}
    if kind in ("qwen3", "gemma3_text"):
        sizes |= {"attn_q_norm": (head,), "attn_k_norm": (head,)}
    if kind == "gemma3_text":
        sizes |= {"post_attention_norm": (hidden,), "post_ffw_norm": (hidden,)}
    biases = {"attn_q": (q,), "attn_k": (kv,), "attn_v": (kv,), "attn_output": (hidden,)}
    shapes = {"model.embed_tokens.weight": (vocabulary, hidden), "model.norm.weight": (hidden,)}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (vocabulary, hidden)
    for layer in range(config["num_hidden_layers"]):
        names = LAYER_NAMES[kind]
        shapes |= {f"model.layers.{layer}.{names[part]}.weight": size for part, size in sizes.items()}
        shapes |= {
            f"model.layers.{layer}.{names[part]}.bias": size
            for part, size in biases.items()
            if f"blk.{layer}.{part}.bias" in biased
        }
    return shapes


def unpermute(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """Undoes llama.cpp's row order of q and k, (heads × head_dim, …): pairs (2i, 2i+1) become (i, i + head_dim/2)."""
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape).contiguous()


def permute(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """The inverse of `unpermute`, as a GGUF of the llama family wants q and k."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape).contiguous()


def row_order(rows: torch.Tensor, name: str, config: dict[str, Any]) -> torch.Tensor:
    """The rows of a weight, whatever they are made of, in transformers' order."""
    if config["model_type"] == "llama" and ".self_attn.q_proj." in name:
        return unpermute(rows, config["num_attention_heads"])
    if config["model_type"] == "llama" and ".self_attn.k_proj." in name:
        return unpermute(rows, config["num_key_value_heads"])
    return rows


def _to_transformers(tensor: torch.Tensor, name: str, config: dict[str, Any]) -> torch.Tensor:
    if config["model_type"] == "gemma3_text" and name.endswith("norm.weight"):
        return tensor - 1
    return row_order(tensor, name, config)


def _tensor(file: GGUFFile, name: str) -> torch.Tensor:
    if file.tensors[name].type is GGMLQuantizationType.BF16:
        bits = np.array(file.raw(name)).view("<i2")
        return torch.from_numpy(bits).view(torch.bfloat16)
    values = file.array(name)
    return torch.from_numpy(values if values.flags.writeable else values.copy())


def _mismatch(file: GGUFFile, what: str, seen: str) -> ModelError:
    return ModelError(what, where=str(file.path), seen=seen, next_move="use a complete file of one of the known kinds")
