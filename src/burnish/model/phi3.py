"""Phi-3 and Phi-4 as the Llama that they are: their matrices are only stacked.

A folder of theirs becomes a Llama's configuration and tensors, or with a window a Mistral's, as it is read. So nothing
further needs to know them: they train, merge and become GGUF as those do, and every engine serves them as those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from burnish.core.errors import ModelError

KIND = "phi3"
LEFT_OUT = ("auto_map", "architectures", "original_max_position_embeddings", "partial_rotary_factor")


def as_llama(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Configuration and tensors under Llama's names; the parts are views, nothing is copied.

    Raises ModelError: positions are scaled, only a part of a head turns, or a stacked matrix has other sizes.
    """
    _refuse_variants(config)
    named: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        named |= _parts(name, tensor, config)
    window = config.get("sliding_window")
    kind, network = ("mistral", "MistralForCausalLM") if window else ("llama", "LlamaForCausalLM")
    kept = {key: value for key, value in config.items() if key not in LEFT_OUT}
    if rope := kept.get("rope_parameters"):
        kept["rope_parameters"] = {key: value for key, value in rope.items() if key not in LEFT_OUT}
    return {**kept, "model_type": kind, "architectures": [network]}, named


def _parts(name: str, tensor: Tensor, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """A stacked matrix as the parts that lie in it, from the top: queries, keys, values; gate, up."""
    heads = int(config["num_attention_heads"])
    groups = int(config.get("num_key_value_heads") or heads)
    head = int(config.get("head_dim") or int(config["hidden_size"]) // heads)
    inner = int(config["intermediate_size"])
    stacked = {
        "qkv_proj": {"q_proj": heads * head, "k_proj": groups * head, "v_proj": groups * head},
        "gate_up_proj": {"gate_proj": inner, "up_proj": inner},
    }
    words = name.split(".")
    sizes = stacked.get(words[-2]) if len(words) > 1 else None
    if sizes is None:
        return {name: tensor}
    if tensor.dim() != 2 or tensor.shape[0] != sum(sizes.values()):
        raise ModelError(
            f"The tensor {name} has the wrong shape.",
            seen=str(tuple(tensor.shape)),
            where=f"the configuration says {sum(sizes.values())} rows",
            next_move="check that config.json belongs to these weights",
        )
    parts = torch.split(tensor, list(sizes.values()))
    return {".".join([*words[:-2], part, words[-1]]): rows for part, rows in zip(sizes, parts, strict=True)}


def _refuse_variants(config: Mapping[str, Any]) -> None:
    parameters = config.get("rope_parameters") or {}
    scaling = config.get("rope_scaling") or parameters
    kind = str(scaling.get("rope_type", scaling.get("type", "default")))
    turning = float(config.get("partial_rotary_factor") or parameters.get("partial_rotary_factor") or 1.0)
    if kind != "default" or turning != 1.0:
        raise ModelError(
            "This Phi model has positions that are not supported.",
            where="config.json",
            seen=f"rope type {kind}, {turning:.0%} of each head turns",
            next_move="use one with plain positions: Phi-3-mini-4k, Phi-3-medium-4k or Phi-4",
        )
