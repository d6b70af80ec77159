"""A tokenizer out of GGUF metadata that gives the ids llama.cpp gives.

Two kinds: byte-level BPE with its merges listed (`gpt2`), and SentencePiece's BPE (`llama`), which has no merges but
a score for each token: of all neighbours that form a token, those with the best score are merged first.
"""

from __future__ import annotations

from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import PreTrainedTokenizerFast

from burnish.core.errors import ModelError
from burnish.core.panics import as_model_error
from burnish.model.gguf_file import GGUFFile
from burnish.model.gguf_split import SPLITS, Split, pre_tokenizer

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # tokenizer.ggml.token_type
SPACE = "▁"
NAMED = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
PHI3_KEEP_SPACE = ("<unk>", "<s>", "<|endoftext|>")  # Phi-3's other special tokens take the spaces after them
# Tokens with which a model ends a text or a turn: it stops there whatever the file calls its EOS.
ENDS = ("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>", "<|end_of_text|>")
# Kept out of a user's text like control tokens, also where a file marks them as ordinary ones, as llama.cpp does.
CONTROL_LOOKING = frozenset(
    (
        *ENDS,
        "</s>",
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        "<|fim_pad|>",
        "<|repo_name|>",
        "<|file_sep|>",
    )
)
SPM_DEFAULTS = {"bos_token": 1, "eos_token": 2, "unk_token": 0}  # older files leave them out


def gguf_tokenizer(file: GGUFFile) -> PreTrainedTokenizerFast:
    """Raises ModelError: the tokenizer is missing, contradicts itself, or is of a kind that is not known."""
    kind = file.metadata.get("tokenizer.ggml.model")
    if kind not in ("gpt2", "llama"):
        raise _error(file, "tokenizer.ggml.model", "names a tokenizer that Burnish does not know", kind)
    tokens, types = _tokens(file)
    named = _named_tokens(file, tokens, SPM_DEFAULTS if kind == "llama" else {})
    split = _split(file) if kind == "gpt2" else None
    with as_model_error(lambda error: _error(file, "tokenizer.ggml", "contradicts itself", error)):
        if split:
            backend = _byte_level(tokens, _merges(file), split)
        else:
            backend = _sentencepiece(tokens, types, _scores(file, tokens), named.get("unk_token"), _prefixed(file))
        backend.add_tokens(_added_tokens(file, tokens, types, set(named.values())))
    add_bos = _flag(file, "add_bos_token", split.add_bos if split else True)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        add_bos_token=add_bos and "bos_token" in named,
        add_eos_token=_flag(file, "add_eos_token", False) and "eos_token" in named,
        chat_template=_template(file),
        model_max_length=_context(file),
        clean_up_tokenization_spaces=False,
        **named,
    )
    return tokenizer


def gguf_generation(file: GGUFFile) -> dict[str, Any]:
    """As in generation_config.json: `eos_token_id` lists all ids that end an answer, the file's own first."""
    tokens, types = _tokens(file)
    keys = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")
    ends = [file.metadata[key] for key in keys if isinstance(file.metadata.get(key), int)]
    ends += [index for index, token in enumerate(tokens) if types[index] == CONTROL and token in ENDS]
    generation: dict[str, Any] = {"eos_token_id": list(dict.fromkeys(ends))} if ends else {}
    for name, key in (("bos_token_id", "bos"), ("pad_token_id", "padding")):
        if isinstance(index := file.metadata.get(f"tokenizer.ggml.{key}_token_id"), int):
            generation[name] = index
    return generation


def score_merges(tokens: list[str], types: list[int], scores: list[float]) -> list[tuple[str, str]]:
    """SentencePiece's rule as a list of merges: each way to put a token together from two, best token first.

    Tokens with a meaning of their own are left out: no text that merely looks like one may become one.
    """
    usable = {token: index for index, token in enumerate(tokens) if types[index] in (NORMAL, USER_DEFINED, UNUSED)}
    found = [
        (-scores[index], index, token[:at], token[at:])
        for token, index in usable.items()
        for at in range(1, len(token))
        if token[:at] in usable and token[at:] in usable
    ]
    found.sort(key=lambda merge: merge[:2])
    return [(left, right) for _, _, left, right in found]


def _added_tokens(file: GGUFFile, tokens: list[str], types: list[int], named: set[str]) -> list[AddedToken]:
    """Tokens found in a text before anything else. Only control tokens are special: a user's text never has them."""
    special = named | CONTROL_LOOKING
    swallows_space = "phi-3" in str(file.metadata.get("general.name", "")).lower().replace("phi3", "phi-3")
    return [
        AddedToken(
            token,
            special=kind != USER_DEFINED or token in special,
            normalized=False,
            rstrip=swallows_space and kind != USER_DEFINED and token not in PHI3_KEEP_SPACE,
        )
        for token, kind in zip(tokens, types, strict=True)
        if token in special or kind in (CONTROL, UNKNOWN, USER_DEFINED)
    ]


def _byte_level(tokens: list[str], merges: list[tuple[str, str]], split: Split) -> Tokenizer:
    vocabulary = {token: index for index, token in enumerate(tokens)}
    backend = Tokenizer(models.BPE(vocabulary, merges, fuse_unk=False, ignore_merges=split.whole_words))
    backend.pre_tokenizer = pre_tokenizer(split)
    backend.decoder = decoders.ByteLevel()
    return backend


def _sentencepiece(
    tokens: list[str], types: list[int], scores: list[float], unknown: str | None, prefixed: bool
) -> Tokenizer:
    vocabulary = {token: index for index, token in enumerate(tokens)}
    merges = score_merges(tokens, types, scores)
    backend = Tokenizer(models.BPE(vocabulary, merges, unk_token=unknown, fuse_unk=True, byte_fallback=True))
    spaces = normalizers.Replace(" ", SPACE)
    backend.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), spaces]) if prefixed else spaces
    steps: list[decoders.Decoder] = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prefixed else steps)
    return backend


def _tokens(file: GGUFFile) -> tuple[list[str], list[int]]:
    tokens = file.metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list) or not tokens or not isinstance(tokens[0], str):
        raise _error(file, "tokenizer.ggml.tokens", "is missing", "")
    tokens = [token or f"[EMPTY_{index}]" for index, token in enumerate(tokens)]
    if len(set(tokens)) != len(tokens):
        raise _error(file, "tokenizer.ggml.tokens", "holds a token twice", "")
    types = file.metadata.get("tokenizer.ggml.token_type", [NORMAL] * len(tokens))
    if not isinstance(types, list) or len(types) != len(tokens):
        raise _error(file, "tokenizer.ggml.token_type", "is not as long as the list of tokens", "")
    return tokens, types


def _scores(file: GGUFFile, tokens: list[str]) -> list[float]:
    scores = file.metadata.get("tokenizer.ggml.scores")
    if not isinstance(scores, list) or len(scores) != len(tokens) or not all(isinstance(one, float) for one in scores):
        raise _error(file, "tokenizer.ggml.scores", "is not as long as the list of tokens", "")
    return scores


def _merges(file: GGUFFile) -> list[tuple[str, str]]:
    merges = file.metadata.get("tokenizer.ggml.merges")
    if not isinstance(merges, list) or not all(isinstance(merge, str) and " " in merge[1:-1] for merge in merges):
        raise _error(file, "tokenizer.ggml.merges", "is not a list of pairs", "")
    return [(merge[: (at := merge.index(" ", 1))], merge[at + 1 :]) for merge in merges]


def _split(file: GGUFFile) -> Split:
    name = file.metadata.get("tokenizer.ggml.pre")
    if not isinstance(name, str) or name not in SPLITS:
        raise _error(file, "tokenizer.ggml.pre", "names a way to cut text into words that Burnish does not know", name)
    return SPLITS[name]


def _named_tokens(file: GGUFFile, tokens: list[str], defaults: dict[str, int]) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, key in NAMED.items():
        index = file.metadata.get(f"tokenizer.ggml.{key}_token_id", defaults.get(name))
        if index is None:
            continue
        if not isinstance(index, int) or not 0 <= index < len(tokens):
            raise _error(file, f"tokenizer.ggml.{key}_token_id", "is outside the vocabulary", index)
        named[name] = tokens[index]
    return named


def _prefixed(file: GGUFFile) -> bool:
    return _flag(file, "add_space_prefix", True)


def _flag(file: GGUFFile, name: str, default: bool) -> bool:
    value = file.metadata.get(f"tokenizer.ggml.{name}", default)
    if not isinstance(value, bool):
        raise _error(file, f"tokenizer.ggml.{name}", "is neither true nor false", value)
    return value


def _template(file: GGUFFile) -> str | None:
    template = file.metadata.get("tokenizer.chat_template")
    return template if isinstance(template, str) and template.strip() else None


def _context(file: GGUFFile) -> int | None:
    length = file.metadata.get(f"{file.metadata.get('general.architecture')}.context_length")
    return length if isinstance(length, int) else None


def _error(file: GGUFFile, key: str, what: str, seen: Any) -> ModelError:
    return ModelError(
        f"`{key}` of the GGUF file {what}.",
        where=str(file.path),
        seen=str(seen)[:80],
        next_move="use another file of the model, or its folder with tokenizer.json",
    )
