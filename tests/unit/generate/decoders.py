"""Tiny random decoders of each kind, and the slowest way to read and to generate: everything anew for each token."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch

from burnish.generate.request import Completion, Request
from burnish.model.attention import reference_attention
from burnish.model.config import decoder_config
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant

VOCAB = 61
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "head_dim": 8,
}
KINDS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", "tie_word_embeddings": True},
    "qwen3": {"model_type": "qwen3", "tie_word_embeddings": False},  # norms on queries and keys
    "gemma3": {  # layers 1 and 3 see 7 tokens back, so every sequence here is longer than their window
        "model_type": "gemma3_text",
        "sliding_window": 7,
        "query_pre_attn_scalar": 8,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    },
    "capped": {"model_type": "gemma3_text", "sliding_window": 7, "query_pre_attn_scalar": 8,
               "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
               "attn_logit_softcapping": 2.0},
}  # fmt: skip


def make_decoder(kind: str, compute: torch.dtype = torch.float64) -> Decoder:
    """Weights large enough that attention is sharp and the next token hangs on what was read."""
    torch.manual_seed(1)
    decoder = Decoder(decoder_config(SIZES | KINDS[kind]), compute=compute)
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.4 if parameter.dim() > 1 else 0.2)
    if kind == "llama":
        for layer in decoder.model.layers:
            torch.nn.init.ones_(layer.input_layernorm.weight)  # type: ignore[arg-type, union-attr]
    return decoder.to(compute).requires_grad_(False).eval()


def random_tokens(seed: int, length: int) -> tuple[int, ...]:
    """The same tokens for the same seed."""
    source = random.Random(seed)
    return tuple(source.randrange(VOCAB) for _ in range(length))


def next_logprobs(decoder: Decoder, tokens: Sequence[int]) -> torch.Tensor:
    """(T, V): log-probabilities of what follows each token, by the definition, without cache or sharing."""
    forest = plant([Segment(tokens, [0.0] * len(tokens))])
    hidden = decoder(forest.tokens_T, forest.position_T, reference_attention(forest))
    return (hidden @ decoder.head_weight.T).log_softmax(dim=-1)


def generate_naively(decoder: Decoder, request: Request, stop_ids: Sequence[int] = ()) -> Completion:
    """Greedy generation that reads the whole sequence again for each token."""
    tokens: list[int] = []
    logprobs: list[float] = []
    for _ in range(request.max_new_tokens):
        following = next_logprobs(decoder, (*request.prompt, *tokens))[-1]
        token = int(following.argmax())
        if token in stop_ids:
            return Completion(tuple(tokens), tuple(logprobs), True)
        tokens.append(token)
        logprobs.append(float(following[token]))
    return Completion(tuple(tokens), tuple(logprobs), False)
