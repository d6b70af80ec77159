"""Tiny random models of every family that exports write, as folders of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from burnish.adapt import lora, methods
from burnish.adapt.settings import LoRASettings
from burnish.core.records import Message
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.gguf_split import QWEN2
from burnish.model.gguf_tokenizer import NORMAL, score_merges
from burnish.model.load import build_decoder
from tests.tiny import TEMPLATE, make_tokenizer

SIZES: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.15,  # large enough that the answers to different prompts differ
    "eos_token_id": 2,
    "bos_token_id": None,
    "pad_token_id": 0,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
FAMILIES = ("llama", "llama3", "untied", "mistral", "qwen2", "qwen3", "gemma3", "phi3")
CONVERSATIONS = (
    (Message("user", "which parcel is late?"),),
    (Message("system", "be brief"), Message("user", "the sky")),
    (Message("user", "order 12"), Message("assistant", "refund"), Message("user", "why – 3½?")),
)


def make_network(family: str, vocab: int) -> torch.nn.Module:
    torch.manual_seed(3)
    sizes = SIZES | {"vocab_size": vocab}
    if family in ("llama", "untied"):
        return LlamaForCausalLM(LlamaConfig(**sizes, tie_word_embeddings=family == "llama"))
    if family == "llama3":
        return LlamaForCausalLM(LlamaConfig(**sizes, rope_theta=500_000.0, rope_scaling=LLAMA3_ROPE))
    if family == "mistral":
        return MistralForCausalLM(MistralConfig(**sizes, tie_word_embeddings=False, sliding_window=None))
    if family == "phi3":
        return Phi3ForCausalLM(Phi3Config(**sizes, tie_word_embeddings=False, sliding_window=None))
    if family == "qwen2":
        model = Qwen2ForCausalLM(Qwen2Config(**sizes, tie_word_embeddings=True))
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.data.normal_(0, 0.3)
        return model
    if family == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(**sizes, head_dim=32, tie_word_embeddings=True))
    sizes |= {"num_hidden_layers": 6, "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 16}
    return Gemma3ForCausalLM(Gemma3TextConfig(**sizes))


def make_spm_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of SentencePiece's kind, as Gemma's: bytes to fall back on, spaces written ▁."""
    letters = [chr(code) for code in range(33, 127)] + ["▁"]
    words = ["th", "he", "the", "▁the", "la", "ate", "late", "▁a", "re", "▁s", "ar", "te"]
    special = ["<pad>", "<eos>", "<end_of_turn>", "<bos>", "<unk>", "<start_of_turn>"]
    tokens = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *words]
    usable = [*letters, *words]
    merges = score_merges(usable, [NORMAL] * len(usable), [-float(index) for index in range(len(usable))])
    backend = Tokenizer(
        models.BPE({t: i for i, t in enumerate(tokens)}, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    named = {"eos_token": "<end_of_turn>", "pad_token": "<pad>", "bos_token": "<bos>", "unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, **named, additional_special_tokens=["<eos>", "<start_of_turn>"]
    )
    tokenizer.chat_template = "<bos>" + TEMPLATE.replace("<|im_start|>", "<start_of_turn>").replace(
        "<|im_end|>", "<end_of_turn>"
    )
    return tokenizer


def make_family_tokenizer(family: str) -> PreTrainedTokenizerFast:
    if family == "gemma3":
        return make_spm_tokenizer()
    tokenizer = make_tokenizer()
    if family == "qwen2":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    return tokenizer


def write_family(family: str, folder: Path) -> Path:
    """A model folder as people download it."""
    tokenizer = make_family_tokenizer(family)
    make_network(family, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def specialist(checkpoint: Checkpoint, *, scale: float = 0.05) -> Decoder:
    """The base with a random LoRA update: as if trained."""
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    methods.apply(decoder, LoRASettings(r=4, alpha=8.0), seed=0)
    generator = torch.Generator().manual_seed(1)
    for layer in lora.layers(decoder).values():
        layer.lora_B.data.normal_(0, scale, generator=generator)
    return decoder.requires_grad_(False)


def read_family(family: str, folder: Path) -> Checkpoint:
    return read_checkpoint(write_family(family, folder))


def ids_of(checkpoint: Checkpoint, texts: Sequence[str]) -> list[list[int]]:
    return [checkpoint.tokenizer.encode(text, add_special_tokens=False) for text in texts]
