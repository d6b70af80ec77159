"""Our tokenizer out of GGUF metadata gives llama.cpp's ids, asked of llama.cpp's own server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from burnish.model.bundled import BUNDLED, bundled_path
from burnish.model.gguf_file import read_gguf
from burnish.model.gguf_split import SPLITS
from burnish.model.gguf_tokenizer import gguf_tokenizer

# Digits of other scripts, joined emoji, combining marks, controls, whitespace runs, code, the text of special tokens.
NASTY: list[str] = json.loads(Path(__file__).with_name("nasty_strings.json").read_text("utf-8"))
# A name for each different way to cut; the other names share one of these.
FAMILIES = {split: name for name, split in reversed(SPLITS.items())}


def test_there_are_a_hundred_different_strings() -> None:
    assert len(set(NASTY)) == len(NASTY) >= 100


@pytest.fixture(scope="module", params=list(BUNDLED))
def bundled(request: pytest.FixtureRequest, llama_cpp: Callable[[Path], Any]) -> tuple[PreTrainedTokenizerFast, Any]:
    path = bundled_path(request.param)
    if path is None:
        pytest.skip(f"{request.param} is not in the cache: burnish fetch {request.param}")
    return gguf_tokenizer(read_gguf(path)), llama_cpp(path)


@pytest.mark.parametrize("parse_special", [True, False])
def test_ids_of_bundled_models_equal_llama_cpps(bundled: tuple[Any, Any], parse_special: bool) -> None:
    tokenizer, server = bundled
    different = {}
    for text in NASTY:
        ours = tokenizer(text, add_special_tokens=False, split_special_tokens=not parse_special).input_ids
        theirs = server.ids(text, parse_special=parse_special)
        if ours != theirs:
            different[text] = (ours, theirs)
    assert not different


def test_the_first_token_of_a_text_equals_llama_cpps(bundled: tuple[Any, Any]) -> None:
    tokenizer, server = bundled
    for text in ("", "Hello", " x"):
        assert tokenizer(text).input_ids == server.ids(text, add_special=True)


def test_decoding_gives_the_text_back(bundled: tuple[Any, Any]) -> None:
    tokenizer, _ = bundled
    for text in NASTY:
        if "▁" not in text:  # SentencePiece writes a space so, and cannot tell the two apart
            assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) == text


def test_no_text_becomes_a_special_token_when_unparsed(bundled: tuple[Any, Any]) -> None:
    tokenizer, _ = bundled
    special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    text = " ".join(tokenizer.convert_ids_to_tokens(index) for index in sorted(special))
    assert not special.intersection(tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)


def test_a_saved_tokenizer_gives_the_same_ids(bundled: tuple[Any, Any], tmp_path: Path) -> None:
    tokenizer, _ = bundled
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    for text in NASTY:
        for split in (True, False):
            assert again(text, split_special_tokens=split).input_ids == (
                tokenizer(text, split_special_tokens=split).input_ids
            )
    assert (again.chat_template, again.eos_token_id) == (tokenizer.chat_template, tokenizer.eos_token_id)


@pytest.mark.parametrize("pre", sorted(FAMILIES.values()))
def test_every_way_to_cut_into_words_equals_llama_cpps(
    pre: str, tmp_path: Path, write_gguf: Any, small_vocabulary: dict[str, Any], llama_cpp: Callable[[Path], Any]
) -> None:
    values = tiny_llama_values() | small_vocabulary | {"tokenizer.ggml.pre": pre}
    tensors = tiny_llama_tensors(len(small_vocabulary["tokenizer.ggml.tokens"]))
    path = write_gguf(tmp_path / "tiny.gguf", "llama", values, tensors)
    tokenizer, server = gguf_tokenizer(read_gguf(path)), llama_cpp(path)
    different = {}
    for text in NASTY:
        ours = tokenizer(text, add_special_tokens=False).input_ids
        theirs = server.ids(text)
        if ours != theirs:
            different[text] = (tokenizer.convert_ids_to_tokens(ours), tokenizer.convert_ids_to_tokens(theirs))
    assert not different
    assert tokenizer("a").input_ids == server.ids("a", add_special=True)


def tiny_llama_values() -> dict[str, Any]:
    sizes = {"context_length": 64, "embedding_length": 32, "block_count": 1, "feed_forward_length": 32}
    sizes |= {"attention.head_count": 1, "rope.dimension_count": 32}
    return {f"llama.{key}": value for key, value in sizes.items()} | {"llama.attention.layer_norm_rms_epsilon": 1e-5}


def tiny_llama_tensors(tokens: int) -> dict[str, np.ndarray]:
    square = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    tensors = {f"blk.0.{name}.weight": np.eye(32, dtype=np.float32) for name in square}
    tensors |= {f"blk.0.{name}.weight": np.ones(32, np.float32) for name in ("attn_norm", "ffn_norm")}
    return tensors | {
        "token_embd.weight": np.zeros((tokens, 32), np.float32),
        "output_norm.weight": np.ones(32, np.float32),
    }
