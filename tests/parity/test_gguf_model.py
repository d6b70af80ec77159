"""A GGUF file read by us and run by transformers answers as llama.cpp does from the same file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.gguf_config import LLAMA3_ROPE, llama3_divisors

HIDDEN, LAYERS, HEAD, INNER = 64, 6, 32, 96
# Query and key-value heads. llama.cpp wants these two kinds' heads to fill the hidden size exactly.
HEADS = {"qwen2": (2, 1), "phi3": (2, 1)}
PROMPT = [50, 300, 71, 2048, 90, 1234, 77, 500, 41, 3000, 60]


def network(checkpoint: Checkpoint) -> Any:
    """transformers' own module with our configuration and weights; every weight must find its place."""
    config = AutoConfig.for_model(**checkpoint.config)
    kind = AutoModelForCausalLM._model_mapping[type(config)]
    model, info = kind.from_pretrained(
        None, config=config, state_dict=checkpoint.tensors, attn_implementation="eager", output_loading_info=True
    )
    assert not any(info.values())
    return model.eval()


@torch.no_grad()
def greedy(model: Any, ids: list[int], count: int) -> tuple[list[int], list[float]]:
    found: list[int] = []
    logprobs = []
    for _ in range(count):
        logits = model(torch.tensor([ids + found])).logits[0, -1].double()
        found.append(int(logits.argmax()))
        logprobs.append(float(logits.log_softmax(-1).max()))
    return found, logprobs


def values(architecture: str, **more: Any) -> dict[str, Any]:
    sizes = {"context_length": 4096, "embedding_length": HIDDEN, "block_count": LAYERS, "feed_forward_length": INNER}
    heads, key_heads = HEADS.get(architecture, (4, 2))
    sizes |= {"attention.head_count": heads, "attention.head_count_kv": key_heads, "attention.key_length": HEAD}
    sizes |= {"attention.value_length": HEAD, "rope.dimension_count": HEAD}
    common: dict[str, Any] = {"attention.layer_norm_rms_epsilon": 1e-6, "rope.freq_base": 10000.0, **sizes}
    return {f"{architecture}.{key}": value for key, value in (common | more).items()}


def shapes(architecture: str, tokens: int) -> dict[str, tuple[int, ...]]:
    """In torch's order, as the architectures of llama.cpp have them."""
    q, kv = (count * HEAD for count in HEADS.get(architecture, (4, 2)))
    layer: dict[str, tuple[int, ...]] = {"attn_norm.weight": (HIDDEN,), "ffn_norm.weight": (HIDDEN,)}
    layer |= {"attn_output.weight": (HIDDEN, q), "ffn_down.weight": (HIDDEN, INNER)}
    if architecture == "phi3":
        layer |= {"attn_qkv.weight": (q + 2 * kv, HIDDEN), "ffn_up.weight": (2 * INNER, HIDDEN)}
    else:
        layer |= {"attn_q.weight": (q, HIDDEN), "attn_k.weight": (kv, HIDDEN), "attn_v.weight": (kv, HIDDEN)}
        layer |= {"ffn_gate.weight": (INNER, HIDDEN), "ffn_up.weight": (INNER, HIDDEN)}
    if architecture == "qwen2":
        layer |= {"attn_q.bias": (q,), "attn_k.bias": (kv,), "attn_v.bias": (kv,)}
    if architecture in ("qwen3", "gemma3"):
        layer |= {"attn_q_norm.weight": (HEAD,), "attn_k_norm.weight": (HEAD,)}
    if architecture == "gemma3":
        layer |= {"post_attention_norm.weight": (HIDDEN,), "post_ffw_norm.weight": (HIDDEN,)}
    outer: dict[str, tuple[int, ...]] = {"token_embd.weight": (tokens, HIDDEN), "output_norm.weight": (HIDDEN,)}
    return outer | {f"blk.{i}.{name}": shape for i in range(LAYERS) for name, shape in layer.items()}


def random_tensors(sizes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        name: (random.standard_normal(size) * (0.3 if len(size) == 2 else 0.2) + name.endswith("norm.weight")).astype(
            "f4"
        )
        for name, size in sizes.items()
    }


def unprintable(tokens: list[str]) -> list[int]:
    """Tokens that may be a part of a character, or special: the server holds back what it says of them."""
    return [index for index, token in enumerate(tokens) if index < 20 or not token.replace("Ġ", "").isascii()]


def llama3_rope() -> dict[str, np.ndarray]:
    return {"rope_freqs.weight": llama3_divisors(HEAD, 10000.0, {"factor": 8.0, **LLAMA3_ROPE}).astype("f4")}


YARN = {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 16}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama untied": ("llama", {}),
    "llama 3 rope": ("llama", {}),
    "llama linear rope": ("llama", {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}),
    "qwen2": ("qwen2", {}),
    "qwen2 yarn": ("qwen2", YARN),
    "qwen3": ("qwen3", {}),
    "gemma3": ("gemma3", {"attention.sliding_window": 4}),
    "gemma3 linear rope": (
        "gemma3",
        {"attention.sliding_window": 4, "rope.scaling.type": "linear", "rope.scaling.factor": 8.0},
    ),
    "phi3": ("phi3", {"rope.scaling.original_context_length": 4096}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_a_random_model_answers_as_in_llama_cpp(
    case: str, tmp_path: Path, write_gguf: Any, small_vocabulary: dict[str, Any], llama_cpp: Callable[[Path], Any]
) -> None:
    architecture, more = CASES[case]
    tokens = len(small_vocabulary["tokenizer.ggml.tokens"])
    sizes = shapes(architecture, tokens) | ({"output.weight": (tokens, HIDDEN)} if case == "llama untied" else {})
    tensors = random_tensors(sizes)
    for name in {"token_embd.weight", "output.weight"} & tensors.keys():
        tensors[name][unprintable(small_vocabulary["tokenizer.ggml.tokens"])] *= 0.01
    tensors |= llama3_rope() if case == "llama 3 rope" else {}
    path = write_gguf(tmp_path / "tiny.gguf", architecture, values(architecture, **more) | small_vocabulary, tensors)
    ids, logprobs = greedy(network(read_checkpoint(path)), PROMPT, 8)
    theirs, their_logprobs = llama_cpp(path).greedy(PROMPT, 8)
    assert ids == theirs
    np.testing.assert_allclose(logprobs, their_logprobs, atol=2e-3)


@pytest.mark.parametrize("name", ["smollm2-135m", "gemma3-270m"])
def test_a_bundled_model_answers_nearly_as_in_llama_cpp(name: str, llama_cpp: Callable[[Path], Any]) -> None:
    from burnish.model.bundled import bundled_path

    path = bundled_path(name)
    if path is None:
        pytest.skip(f"{name} is not in the cache: burnish fetch {name}")
    checkpoint = read_checkpoint(path)
    prompt = checkpoint.tokenizer("The capital of France is").input_ids
    ids, logprobs = greedy(network(checkpoint), prompt, 4)
    theirs, their_logprobs = llama_cpp(path).greedy(prompt, 4)
    # llama.cpp multiplies quantised weights with activations rounded to 8 bits: near, not equal.
    assert ids == theirs
    np.testing.assert_allclose(logprobs, their_logprobs, atol=0.4)
