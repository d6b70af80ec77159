"""Tokenizers out of metadata: by hand on vocabularies of a few tokens, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.core.errors import ModelError
from burnish.model.gguf_file import GGUFFile
from burnish.model.gguf_split import SPLITS
from burnish.model.gguf_tokenizer import gguf_generation, gguf_tokenizer, score_merges

SPM: dict[str, Any] = {
    "model": "llama",
    "tokens": ["<unk>", "<s>", "</s>", "a", "b", "▁", "ab", "▁a", "<0x63>", "<kept>", "<turn>"],
    "token_type": [2, 3, 3, 1, 1, 1, 1, 1, 6, 4, 3],
    "scores": [0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -5.0, -4.0, 0.0, 0.0, 0.0],
}
BPE: dict[str, Any] = {
    "model": "gpt2",
    "pre": "gpt-2",
    "tokens": ["<s>", "a", "b", "Ġ", "ab", "Ġa", "1", "2", "12"],
    "token_type": [3, 1, 1, 1, 1, 1, 1, 1, 1],
    "merges": ["a b", "Ġ a", "1 2"],
    "bos_token_id": 0,
}


def file(values: dict[str, Any], **more: Any) -> GGUFFile:
    metadata = {f"tokenizer.ggml.{key}": value for key, value in (values | more).items() if value is not None}
    return GGUFFile(Path("m.gguf"), {"general.architecture": "llama", **metadata}, {}, {})


def tokens(values: dict[str, Any], text: str, *, split: bool = False, **more: Any) -> list[str]:
    tokenizer = gguf_tokenizer(file(values, **more))
    return tokenizer.convert_ids_to_tokens(tokenizer(text, split_special_tokens=split).input_ids)


def test_the_pair_with_the_best_score_is_merged_first() -> None:
    # " ab": "▁a" scores -4 and "ab" -5, so the space takes the a.
    assert tokens(SPM, "ab") == ["<s>", "▁a", "b"]
    assert tokens(SPM, "ab", scores=[*SPM["scores"][:6], -4.0, -5.0, *SPM["scores"][8:]]) == ["<s>", "▁", "ab"]
    assert tokens(SPM, "ab", add_space_prefix=False, add_bos_token=False) == ["ab"]


def test_merges_are_ordered_by_score_and_leave_special_tokens_out() -> None:
    names, types = ["a", "b", "ab", "ba", "aba", "<", ">", "<>"], [1, 1, 1, 1, 1, 1, 1, 3]
    merges = score_merges(names, types, [0, 0, -2, -1, -3, 0, 0, 0])
    assert merges == [("b", "a"), ("a", "b"), ("a", "ba"), ("ab", "a")]


def test_what_has_no_token_falls_back_to_bytes_and_then_to_unknown() -> None:
    assert tokens(SPM, "c", add_space_prefix=False) == ["<s>", "<0x63>"]
    assert tokens(SPM, "d", add_space_prefix=False) == ["<s>", "<unk>"]


def test_special_text_is_parsed_only_when_asked_and_user_defined_always() -> None:
    assert tokens(SPM, "a<turn>a", add_space_prefix=False) == ["<s>", "a", "<turn>", "a"]
    unparsed = tokens(SPM, "a<turn><kept>a", split=True, add_space_prefix=False)
    assert "<turn>" not in unparsed
    assert "<kept>" in unparsed


def test_decoding_undoes_the_space_in_front() -> None:
    tokenizer = gguf_tokenizer(file(SPM))
    assert tokenizer.decode(tokenizer("ab a").input_ids, skip_special_tokens=True) == "ab a"


def test_older_sentencepiece_files_have_default_special_tokens() -> None:
    tokenizer = gguf_tokenizer(file(SPM))
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.unk_token) == ("<s>", "</s>", "<unk>")


def test_words_are_cut_before_bytes_are_merged() -> None:
    assert tokens(BPE, "ab ab12", add_bos_token=True) == ["<s>", "ab", "Ġ", "ab", "12"]  # "a b" comes before "Ġ a"
    assert tokens(BPE, "ab 12", pre="smollm") == ["ab", "Ġ", "1", "2"]  # each digit is a word of its own
    assert tokens(BPE, "ab", pre="llama-bpe") == ["<s>", "ab"]  # this kind begins with BOS unless told otherwise


def test_answers_end_at_the_files_own_ends_and_at_known_control_tokens() -> None:
    names = {"tokens": ["<|endoftext|>", "a", "<|im_end|>", "<|end|>"], "token_type": [3, 1, 3, 1], "eos_token_id": 2}
    assert gguf_generation(file(BPE | names))["eos_token_id"] == [2, 0]  # "<|end|>" is an ordinary token here


@pytest.mark.parametrize(
    ("values", "more", "seen"),
    [
        (BPE, {"model": "t5"}, "tokenizer.ggml.model"),
        (BPE, {"model": None}, "tokenizer.ggml.model"),
        (BPE, {"pre": "never-heard-of"}, "tokenizer.ggml.pre"),
        (BPE, {"pre": None}, "tokenizer.ggml.pre"),
        (BPE, {"pre": ["gpt-2"]}, "tokenizer.ggml.pre"),
        (BPE, {"tokens": None}, "tokenizer.ggml.tokens"),
        (BPE, {"tokens": []}, "tokenizer.ggml.tokens"),
        (BPE, {"tokens": [1, 2]}, "tokenizer.ggml.tokens"),
        (BPE, {"tokens": ["a"] * 9}, "holds a token twice"),
        (BPE, {"token_type": [1]}, "tokenizer.ggml.token_type"),
        (BPE, {"merges": None}, "tokenizer.ggml.merges"),
        (BPE, {"merges": ["ab"]}, "tokenizer.ggml.merges"),
        (BPE, {"merges": ["x y"]}, "contradicts itself"),
        (BPE, {"bos_token_id": 9}, "bos_token_id"),
        (BPE, {"bos_token_id": -1}, "bos_token_id"),
        (BPE, {"add_bos_token": 1}, "add_bos_token"),
        (SPM, {"scores": [1.0]}, "tokenizer.ggml.scores"),
        (SPM, {"scores": ["x"] * 11}, "tokenizer.ggml.scores"),
    ],
)
def test_a_tokenizer_that_contradicts_itself_is_refused(
    values: dict[str, Any], more: dict[str, Any], seen: str
) -> None:
    with pytest.raises(ModelError, match=seen):
        gguf_tokenizer(file(values, **more))


def test_every_known_cut_is_a_valid_pattern() -> None:
    for name in SPLITS:
        assert "".join(tokens(BPE, "ab 12", pre=name)).replace("<s>", "") == "abĠ12"
