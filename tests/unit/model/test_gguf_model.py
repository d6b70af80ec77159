"""Tensors of a GGUF file under transformers' names: the row order, the norms, and what is refused."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFWriter

from burnish.core.errors import ModelError
from burnish.model.checkpoint import read_checkpoint, read_tokenizer
from burnish.model.gguf_model import permute, transformers_name, unpermute

HIDDEN, HEADS, TOKENS = 16, 2, 260


def byte_letters() -> list[str]:
    """The 256 printable characters that byte-level vocabularies write for bytes."""
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def layer(index: int) -> dict[str, np.ndarray]:
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    draw = np.random.default_rng(index)
    tensors = {f"blk.{index}.{name}.weight": draw.standard_normal((HIDDEN, HIDDEN)).astype("f4") for name in names}
    return tensors | {f"blk.{index}.{name}.weight": np.ones(HIDDEN, "f4") for name in ("attn_norm", "ffn_norm")}


def tensors() -> dict[str, np.ndarray]:
    outer = {"token_embd.weight": np.ones((TOKENS, HIDDEN), "f4"), "output_norm.weight": np.ones(HIDDEN, "f4")}
    return outer | layer(0) | layer(1)


def write(path: Path, tensors: dict[str, np.ndarray], architecture: str = "llama") -> Path:
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(64)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(2)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["<s>", "</s>", "<|im_end|>", *byte_letters(), "ab"])
    writer.add_token_types([3, 3, 3, *[1] * 257])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_chat_template("{{ messages }}")
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_rotary_pairs_move_half_a_head_apart() -> None:
    # One head of 4 rows: llama.cpp turns rows (0, 1) and (2, 3); transformers turns rows (0, 2) and (1, 3).
    assert unpermute(torch.tensor([[0], [1], [2], [3]]), heads=1).tolist() == [[0], [2], [1], [3]]
    rows = torch.randn(2 * 8, 3)
    assert torch.equal(permute(unpermute(rows, 2), 2), rows)
    assert torch.equal(unpermute(rows[:, 0], 2), unpermute(rows, 2)[:, 0])  # a bias moves as its rows do


def test_a_whole_file_becomes_a_checkpoint(tmp_path: Path) -> None:
    stored = tensors()
    checkpoint = read_checkpoint(write(tmp_path / "m.gguf", stored))
    assert len(checkpoint.tensors) == len(stored)
    value = checkpoint.tensors["model.layers.1.self_attn.v_proj.weight"]
    assert np.array_equal(value.numpy(), stored["blk.1.attn_v.weight"])
    query = checkpoint.tensors["model.layers.1.self_attn.q_proj.weight"]
    assert np.array_equal(permute(query, HEADS).numpy(), stored["blk.1.attn_q.weight"])
    assert checkpoint.generation == {"eos_token_id": [1, 2], "bos_token_id": 0}
    assert checkpoint.tokenizer("abc").input_ids == read_tokenizer(tmp_path / "m.gguf")("abc").input_ids
    assert checkpoint.tokenizer.chat_template == "{{ messages }}"
    assert checkpoint.tokenizer.model_max_length == 64


def test_float16_stays_as_stored(tmp_path: Path) -> None:
    stored = tensors()
    stored["blk.0.attn_v.weight"] = stored["blk.0.attn_v.weight"].astype("f2")
    read = read_checkpoint(write(tmp_path / "m.gguf", stored)).tensors
    assert read["model.layers.0.self_attn.v_proj.weight"].dtype == torch.float16
    assert read["model.layers.1.self_attn.v_proj.weight"].dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"blk.1.attn_v.weight": None}, "model.layers.1.self_attn.v_proj.weight is missing"),
        ({"blk.1.attn_sinks.weight": np.ones(2, "f4")}, "blk.1.attn_sinks.weight has no place"),
        ({"blk.7.attn_v.weight": np.ones((16, 16), "f4")}, "blk.7.attn_v.weight has no place"),
        ({"blk.0.ffn_up.bias": np.ones(16, "f4")}, "blk.0.ffn_up.bias has no place"),
        ({"blk.0.attn_q.weight": np.ones((8, 16), "f4")}, "blk.0.attn_q.weight has another shape"),
        ({"token_embd.weight": None}, "token_embd.weight"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path: Path, change: dict[str, Any], seen: str) -> None:
    stored = {name: tensor for name, tensor in (tensors() | change).items() if tensor is not None}
    with pytest.raises(ModelError, match=seen):
        read_checkpoint(write(tmp_path / "m.gguf", stored))


def test_names_that_are_not_known_have_no_name_here() -> None:
    assert transformers_name("blk.3.attn_q.weight", "llama") == "model.layers.3.self_attn.q_proj.weight"
    assert (
        transformers_name("blk.3.ffn_norm.weight", "gemma3_text") == "model.layers.3.pre_feedforward_layernorm.weight"
    )
    for name in ("", "blk", "blk.3", "blk.3.attn_q", "blk.3.attn_q.weight.x", "xxx.3.attn_q.weight", "v.patch.weight"):
        assert transformers_name(name, "llama") == ""


def test_no_changed_byte_of_a_header_lets_another_error_out(tmp_path: Path) -> None:
    whole = write(tmp_path / "m.gguf", tensors()).read_bytes()
    header, draw, changed_file = (
        len(whole) - sum(t.nbytes for t in tensors().values()),
        random.Random(0),
        tmp_path / "c.gguf",
    )
    read = 0
    for _ in range(400):
        changed = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            changed[draw.randrange(4, header)] = draw.choice([0, 1, 32, 127, 128, 255, draw.randrange(256)])
        changed_file.write_bytes(changed)
        try:
            read_checkpoint(changed_file)
            read += 1
        except ModelError:
            pass
    assert 0 < read < 400
