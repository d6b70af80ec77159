"""A tokenizer as GGUF metadata: the inverse of model.gguf_tokenizer, for models that came as a folder.

llama.cpp knows a byte-level tokenizer's way of cutting words only by a name. A wrong name still gives tokens, only not
those the model has learnt; so where the name is not certain, nothing is written.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gguf.constants import GGUFValueType
from transformers import PreTrainedTokenizerFast

from burnish.core.errors import ModelError
from burnish.deploy.gguf_write import Value
from burnish.model.gguf_split import CONTRACTIONS, GPT2, SPLITS
from burnish.model.gguf_tokenizer import (
    BYTE,
    CONTROL,
    NORMAL,
    SPACE,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    score_merges,
)

SPELT_SHORT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"  # how tokenizer.json spells the contractions
ARRAY, STRING, UINT32, BOOL = GGUFValueType.ARRAY, GGUFValueType.STRING, GGUFValueType.UINT32, GGUFValueType.BOOL
NO_SCORE = -1e6  # below every token that merges make: such a token is never made


def vocabulary_metadata(tokenizer: PreTrainedTokenizerFast, size: int) -> dict[str, Value]:
    """`size`: rows of the embedding; ids that no token has are filled up.

    Raises ModelError: the tokenizer is of a kind that llama.cpp does not have.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    model = state["model"]
    if model.get("type") != "BPE":
        raise _unknown("the kind of tokenizer", str(model.get("type")))
    tokens, types = _tokens(tokenizer, model, size)
    shared = {
        "tokenizer.ggml.tokens": Value(tokens, ARRAY, STRING),
        "tokenizer.ggml.token_type": Value(types, ARRAY, GGUFValueType.INT32),
        **_named(tokenizer),
        **_additions(tokenizer),
    }
    merges = [_pair(merge) for merge in model["merges"]]
    if model.get("byte_fallback"):
        scores = Value(merge_scores(tokens, types, merges), ARRAY, GGUFValueType.FLOAT32)
        prefixed = tokenizer.backend_tokenizer.encode("a", add_special_tokens=False).tokens[0].startswith(SPACE)
        kind = {
            "tokenizer.ggml.model": Value("llama", STRING),
            "tokenizer.ggml.pre": Value("default", STRING),
            "tokenizer.ggml.scores": scores,
            "tokenizer.ggml.add_space_prefix": Value(prefixed, BOOL),
        }
    else:
        kind = {
            "tokenizer.ggml.model": Value("gpt2", STRING),
            "tokenizer.ggml.pre": Value(split_name(state), STRING),
            "tokenizer.ggml.merges": Value([" ".join(merge) for merge in merges], ARRAY, STRING),
        }
    return {**kind, **shared}


def with_added(
    metadata: Mapping[str, Value], tokenizer: PreTrainedTokenizerFast, new_ids: Sequence[int], size: int
) -> dict[str, Value]:
    """A base file's metadata with the tokens that were added to its vocabulary, of `size` rows from now on."""
    if not new_ids:
        return dict(metadata)
    known = len(metadata["tokenizer.ggml.tokens"].value)
    filled = [f"[UNUSED_{index}]" for index in range(known, size)]
    added: dict[str, tuple[list[Any], list[Any]]] = {
        "tokenizer.ggml.tokens": (filled, [tokenizer.convert_ids_to_tokens(index) for index in new_ids]),
        "tokenizer.ggml.token_type": ([UNUSED] * len(filled), [USER_DEFINED] * len(new_ids)),
        "tokenizer.ggml.scores": ([NO_SCORE] * len(filled), [0.0] * len(new_ids)),
    }
    grown = dict(metadata)
    for key, (rest, values) in added.items():
        if key in metadata:
            column = [*metadata[key].value, *rest]
            for index, value in zip(new_ids, values, strict=True):
                column[index] = value
            grown[key] = replace(metadata[key], value=column)
    count = f"{metadata['general.architecture'].value}.vocab_size"
    return grown | ({count: replace(metadata[count], value=size)} if count in metadata else {})


def split_name(state: Mapping[str, Any]) -> str:
    """The name by which llama.cpp knows this way of cutting words; `state` is tokenizer.json.

    Raises ModelError: no name is certain.
    """
    patterns = tuple(_patterns(state.get("pre_tokenizer") or {}))
    whole_words = bool(state["model"].get("ignore_merges"))
    for name, split in SPLITS.items():
        if (split.patterns, split.whole_words) == (patterns, whole_words):
            return name
    raise _unknown("the way this tokenizer cuts words", " then ".join(patterns))


def _patterns(step: Mapping[str, Any]) -> list[str]:
    """The cuts of a pre-tokenizer as patterns, in the spelling of the table of splits."""
    kind = step.get("type")
    if kind == "Sequence":
        return [pattern for inner in step["pretokenizers"] for pattern in _patterns(inner)]
    if kind == "ByteLevel" and not step.get("add_prefix_space"):
        return [GPT2] if step.get("use_regex", True) else []
    if kind == "Digits" and step.get("individual_digits"):
        return [r"\p{N}"]
    if kind == "Split" and step["behavior"] == "Isolated" and not step.get("invert") and "Regex" in step["pattern"]:
        return [step["pattern"]["Regex"].replace(SPELT_SHORT, CONTRACTIONS)]
    raise _unknown("the way this tokenizer cuts words", str(kind))


def merge_scores(tokens: list[str], types: list[int], merges: list[tuple[str, str]]) -> list[float]:
    """A score for each token, so that merging the best score first is merging in the order of `merges`.

    Raises ModelError: llama.cpp, which joins any two neighbours that form a token, would join others.
    """
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(merges):
        ranks.setdefault("".join(merge), rank)
    scores = [
        -float(ranks[token]) if token in ranks else (0.0 if kind != NORMAL or len(token) == 1 else NO_SCORE)
        for token, kind in zip(tokens, types, strict=True)
    ]
    if odd := sorted(set(score_merges(tokens, types, scores)) ^ set(merges)):
        raise _unknown("the merges of this tokenizer", f"{len(odd)} differ, such as {' + '.join(odd[0])}")
    order = [ranks["".join(merge)] for merge in merges]
    if any(before > after for before, after in itertools.pairwise(order)):
        raise _unknown("the order of this tokenizer's merges", "one token's merges stand apart")
    return scores


def _pair(merge: str | list[str]) -> tuple[str, str]:
    """Older files of tokenizers write a merge as one string."""
    left, right = merge.split(" ", 1) if isinstance(merge, str) else merge
    return left, right


def _tokens(tokenizer: PreTrainedTokenizerFast, model: Mapping[str, Any], size: int) -> tuple[list[str], list[int]]:
    """Every id's text and type, up to `size`."""
    texts = {index: token for token, index in model["vocab"].items()}
    types = dict.fromkeys(texts, NORMAL)
    if model.get("byte_fallback"):
        types |= {model["vocab"][name]: BYTE for name in (f"<0x{b:02X}>" for b in range(256)) if name in model["vocab"]}
    for index, added in tokenizer.added_tokens_decoder.items():
        texts[index] = added.content
        types[index] = CONTROL if added.special else USER_DEFINED
    if model.get("unk_token") in model["vocab"]:
        types[model["vocab"][model["unk_token"]]] = UNKNOWN
    if max(texts) >= size:
        raise _unknown("a tokenizer with more tokens than the model has rows", f"{max(texts) + 1} tokens, {size} rows")
    padded = range(size)
    return [texts.get(i, f"[UNUSED_{i}]") for i in padded], [types.get(i, UNUSED) for i in padded]


def _named(tokenizer: PreTrainedTokenizerFast) -> dict[str, Value]:
    ids = {
        "bos": tokenizer.bos_token_id,
        "eos": tokenizer.eos_token_id,
        "unknown": tokenizer.unk_token_id,
        "padding": tokenizer.pad_token_id,
    }
    return {f"tokenizer.ggml.{name}_token_id": Value(index, UINT32) for name, index in ids.items() if index is not None}


def _additions(tokenizer: PreTrainedTokenizerFast) -> dict[str, Value]:
    """Whether a text gets a token before or after it that nobody wrote."""
    bare = tokenizer.encode("a", add_special_tokens=False)
    full = tokenizer.encode("a")
    begins, ends = full[:1] != bare[:1], full[-1:] != bare[-1:]
    return {
        "tokenizer.ggml.add_bos_token": Value(begins, BOOL),
        "tokenizer.ggml.add_eos_token": Value(ends, BOOL),
    }


def _unknown(what: str, seen: str) -> ModelError:
    return ModelError(
        f"GGUF has no certain form for {what}.",
        where="tokenizer.json",
        seen=seen[:200],
        next_move="leave the gguf forms out of `export`: `merged` serves the model in transformers and vLLM",
    )
