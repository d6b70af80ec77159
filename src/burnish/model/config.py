"""What a decoder needs to know of itself, read from the keys of transformers' config.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from burnish.core.errors import ModelError

SUPPORTED = ("llama", "mistral", "qwen2", "qwen3", "gemma3_text")


@dataclass(frozen=True)
class Rope:
    """Rotary embedding of one kind of layer: wave lengths, and how they were stretched for a longer context."""

    theta: float
    kind: str = "default"
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_context: int = 8192

    def inverse_frequencies(self, width: int) -> list[float]:
        """width/2 angles a position (RoFormer, arXiv 2104.09864; llama3 stretching as in the Llama 3.1 release)."""
        angles = [self.theta ** (-2 * i / width) for i in range(width // 2)]
        if self.kind == "linear":
            return [angle / self.factor for angle in angles]
        if self.kind == "llama3":
            return [self._stretched(angle) for angle in angles]
        return angles

    def _stretched(self, angle: float) -> float:
        turns = self.original_context * angle / (2 * math.pi)  # how often this wave turns within the old context
        blend = (turns - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor)
        blend = min(max(blend, 0.0), 1.0)
        return blend * angle + (1 - blend) * angle / self.factor


@dataclass(frozen=True)
class DecoderConfig:
    """Shapes and switches of a Llama-like decoder."""

    model_type: str
    vocab: int
    width: int
    layers: int
    heads: int
    key_value_heads: int
    head_width: int
    mlp_width: int
    context: int
    norm_epsilon: float
    tied: bool
    ropes: tuple[Rope, ...]  # one a layer
    windows: tuple[int | None, ...]  # one a layer
    attention_scale: float
    softcap: float | None
    activation: str
    attention_bias: bool
    output_bias: bool
    query_key_norm: bool
    gemma: bool  # norms before and after each part, stored as weight - 1; embeddings scaled by sqrt(width)


def decoder_config(config: Mapping[str, Any]) -> DecoderConfig:
    """Reads config.json. Raises ModelError: a family or an option that this decoder does not compute."""
    kind = config.get("model_type")
    if kind not in SUPPORTED:
        raise ModelError(
            "This family of models is not supported.",
            where="config.json: model_type",
            seen=str(kind),
            next_move=f"use a model of one of these families: {', '.join(SUPPORTED)}",
        )
    heads = int(config["num_attention_heads"])
    width = int(config["hidden_size"])
    head_width = int(config.get("head_dim") or width // heads)
    layers = int(config["num_hidden_layers"])
    gemma = kind == "gemma3_text"
    scale = float(config["query_pre_attn_scalar"]) if gemma else float(head_width)
    sliding = _sliding_layers(config, layers)
    window = config.get("sliding_window")
    return DecoderConfig(
        model_type=str(kind),
        vocab=int(config["vocab_size"]),
        width=width,
        layers=layers,
        heads=heads,
        key_value_heads=int(config.get("num_key_value_heads") or heads),
        head_width=head_width,
        mlp_width=int(config["intermediate_size"]),
        context=int(config.get("max_position_embeddings", 2048)),
        norm_epsilon=float(config.get("rms_norm_eps", 1e-6)),
        tied=bool(config.get("tie_word_embeddings", gemma)),
        ropes=tuple(_rope(config, is_sliding and gemma) for is_sliding in sliding),
        windows=tuple(int(window) if is_sliding and window else None for is_sliding in sliding),
        attention_scale=scale**-0.5,
        softcap=config.get("attn_logit_softcapping"),
        activation="gelu_tanh" if gemma else "silu",
        attention_bias=bool(config.get("attention_bias", kind == "qwen2")),
        output_bias=bool(config.get("attention_bias", False)) and kind not in ("qwen2",),
        query_key_norm=kind in ("qwen3", "gemma3_text"),
        gemma=gemma,
    )


def _sliding_layers(config: Mapping[str, Any], layers: int) -> list[bool]:
    """Which layers see only a window back."""
    if types := config.get("layer_types"):
        return [name == "sliding_attention" for name in types]
    kind = config["model_type"]
    if kind == "gemma3_text":
        pattern = int(config.get("sliding_window_pattern") or config.get("_sliding_window_pattern") or 6)
        return [(layer + 1) % pattern != 0 for layer in range(layers)]
    if kind in ("qwen2", "qwen3"):
        first = int(config.get("max_window_layers", layers)) if config.get("use_sliding_window") else layers
        return [layer >= first for layer in range(layers)]
    return [kind == "mistral" and config.get("sliding_window") is not None] * layers


def _rope(config: Mapping[str, Any], local: bool) -> Rope:
    """Both spellings: rope_theta with rope_scaling, and transformers 5's rope_parameters (per kind of layer)."""
    parameters = config.get("rope_parameters") or {}
    if "full_attention" in parameters:
        parameters = parameters["sliding_attention" if local else "full_attention"]
    elif not parameters:
        scaling = {} if local else (config.get("rope_scaling") or {})
        theta = config.get("rope_local_base_freq", 10_000.0) if local else config.get("rope_theta", 10_000.0)
        parameters = {"rope_theta": theta, **scaling}
    kind = str(parameters.get("rope_type", parameters.get("type", "default")))
    if kind not in ("default", "linear", "llama3"):
        raise ModelError(
            "This kind of position scaling is not supported.",
            where="config.json: rope_scaling",
            seen=kind,
            next_move="use a model with default, linear or llama3 scaling",
        )
    return Rope(
        theta=float(parameters.get("rope_theta", config.get("rope_theta", 10_000.0))),
        kind=kind,
        factor=float(parameters.get("factor", 1.0)),
        low_freq_factor=float(parameters.get("low_freq_factor", 1.0)),
        high_freq_factor=float(parameters.get("high_freq_factor", 4.0)),
        original_context=int(parameters.get("original_max_position_embeddings", 8192)),
    )
