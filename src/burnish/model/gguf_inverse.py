"""The inverse of gguf_model: weights under transformers' names → names, row order and norm weights as GGUF has them."""

from __future__ import annotations

import torch

from burnish.core.errors import ModelError
from burnish.model.config import DecoderConfig
from burnish.model.gguf_model import LAYER_NAMES, OUTER_NAMES, permute

# Mistral's decoder is Llama's; llama.cpp knows no other name for it.
ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma3_text": "gemma3"}
NAMED_ALIKE = {"mistral": "llama"}


def gguf_name(name: str, model_type: str) -> str:
    """`model.layers.3.self_attn.q_proj.weight` → `blk.3.attn_q.weight`.

    Raises ModelError: a name that GGUF has no place for.
    """
    outer = {ours: theirs for theirs, ours in OUTER_NAMES.items()}
    if name in outer:
        return outer[name]
    parts = {ours: theirs for theirs, ours in LAYER_NAMES[NAMED_ALIKE.get(model_type, model_type)].items()}
    words = name.split(".")
    inner = ".".join(words[3:-1])
    if words[:2] != ["model", "layers"] or inner not in parts:
        raise ModelError(
            f"GGUF has no place for the weight {name}.",
            where=f"model_type {model_type}",
            next_move="leave the gguf forms out of `export`",
        )
    return f"blk.{words[2]}.{parts[inner]}.{words[-1]}"


def to_gguf(tensor: torch.Tensor, name: str, config: DecoderConfig) -> torch.Tensor:
    """One weight, under its transformers name, as llama.cpp computes with it; float32."""
    tensor = tensor.detach().float().cpu()
    if ARCHITECTURES[config.model_type] == "llama" and ".self_attn.q_proj." in name:
        return permute(tensor, config.heads)
    if ARCHITECTURES[config.model_type] == "llama" and ".self_attn.k_proj." in name:
        return permute(tensor, config.key_value_heads)
    if config.gemma and name.endswith("norm.weight"):
        return tensor + 1
    return tensor
