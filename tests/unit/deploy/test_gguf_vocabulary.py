"""Tokenizers into GGUF: what cannot be named with certainty is not written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import Regex, pre_tokenizers

from burnish.core.errors import ModelError
from burnish.deploy.gguf_vocabulary import merge_scores, split_name, vocabulary_metadata
from burnish.model.gguf_split import GPT2, LLAMA3
from tests.tiny import make_tokenizer
from tests.unit.deploy.models import make_spm_tokenizer

BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
BYTES_AND_WORDS = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
SHORT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)" + LLAMA3[LLAMA3.index("|[^") :]


def state(pre_tokenizer: pre_tokenizers.PreTokenizer, *, ignore_merges: bool = False) -> dict[str, Any]:
    backend = make_tokenizer().backend_tokenizer
    backend.pre_tokenizer = pre_tokenizer
    found: dict[str, Any] = json.loads(backend.to_str())
    found["model"]["ignore_merges"] = ignore_merges
    return found


def test_known_ways_of_cutting_words_are_named() -> None:
    assert split_name(state(BYTES_AND_WORDS)) == "gpt-2"
    digits = pre_tokenizers.Digits(individual_digits=True)
    assert split_name(state(pre_tokenizers.Sequence([digits, BYTES_AND_WORDS]))) == "smollm"
    words = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SHORT), "isolated"), BYTES])
    assert split_name(state(words, ignore_merges=True)) == "llama-bpe"
    assert split_name(state(words)) == "dbrx"


@pytest.mark.parametrize(
    "unknown",
    [
        pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT2 + "|x"), "isolated"), BYTES]),
        pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT2), "removed"), BYTES]),
        pre_tokenizers.ByteLevel(add_prefix_space=True),
        pre_tokenizers.Whitespace(),
    ],
)
def test_an_unknown_way_of_cutting_words_is_refused(unknown: pre_tokenizers.PreTokenizer) -> None:
    with pytest.raises(ModelError, match="no certain form"):
        split_name(state(unknown))


def test_scores_put_merges_in_their_order() -> None:
    # "ab" is made first, so it scores best; "c" is a letter; "zz" is a token that no merge makes.
    tokens = ["a", "b", "ab", "abc", "c", "zz"]
    scores = merge_scores(tokens, [1] * 6, [("a", "b"), ("ab", "c")])
    assert scores == [0.0, 0.0, -0.0, -1.0, 0.0, -1e6]


def test_merges_that_scores_cannot_say_are_refused() -> None:
    # llama.cpp would also join a and bc to abc, which this tokenizer never does.
    tokens = ["a", "b", "c", "ab", "bc", "abc"]
    with pytest.raises(ModelError, match="merges of this tokenizer"):
        merge_scores(tokens, [1] * 6, [("a", "b"), ("b", "c"), ("ab", "c")])
    # One token's merges on both sides of another's.
    with pytest.raises(ModelError, match="order of this tokenizer's merges"):
        merge_scores([*tokens, "ca"], [1] * 7, [("a", "b"), ("b", "c"), ("ab", "c"), ("c", "a"), ("a", "bc")])


def test_types_and_unused_rows() -> None:
    tokenizer = make_spm_tokenizer()
    found = vocabulary_metadata(tokenizer, len(tokenizer) + 2)
    types, tokens = found["tokenizer.ggml.token_type"].value, found["tokenizer.ggml.tokens"].value
    assert tokens[-1] == f"[UNUSED_{len(tokenizer) + 1}]"
    assert types[-1] == 5
    assert types[tokens.index("<0x41>")] == 6
    assert types[tokens.index("<unk>")] == 2
    assert types[tokens.index("<end_of_turn>")] == 3
    assert types[tokens.index("▁the")] == 1
    assert found["tokenizer.ggml.add_bos_token"].value is False


def test_a_vocabulary_larger_than_the_embedding_is_refused() -> None:
    tokenizer = make_tokenizer()
    with pytest.raises(ModelError, match="more tokens than the model has rows"):
        vocabulary_metadata(tokenizer, len(tokenizer) - 1)
