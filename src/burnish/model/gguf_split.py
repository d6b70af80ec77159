"""How a byte-level tokenizer cuts text into words before it merges bytes: GGUF's `tokenizer.ggml.pre`, spelt out.

The patterns are facts about the models' own tokenizers. Each cuts the pieces that the one before it left. Cut wrongly,
a text still tokenises, only not as the model has learnt it: so a name that is not known is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Regex, pre_tokenizers

CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
ENDINGS = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + ENDINGS
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + ENDINGS
QWEN35 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + ENDINGS
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + ENDINGS
)
GPT4O = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + ENDINGS
)
DEEPSEEK3 = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*" + ENDINGS
)
CJK = "[一-龥ࠀ-一가-퟿]+"


@dataclass(frozen=True)
class Split:
    """patterns: applied one after the other. whole_words: a word that is a token needs no merges. add_bos: what holds
    where the file does not say whether a text begins with the BOS token.
    """

    patterns: tuple[str, ...]
    whole_words: bool = False
    add_bos: bool = False


_FAMILIES: tuple[tuple[Split, tuple[str, ...]], ...] = (
    (Split((r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]")), ("default",)),
    (Split((GPT2,)), ("gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat")),
    (
        Split((r"\p{N}", GPT2)),
        ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"),
    ),
    (
        Split((LLAMA3,), whole_words=True, add_bos=True),
        ("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"),
    ),
    (Split((LLAMA3,)), ("dbrx", "smaug-bpe", "glm4", "chatglm-bpe")),
    (Split((QWEN2,)), ("qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan", "kormo")),
    (Split((QWEN35,)), ("qwen35",)),
    (Split((TEKKEN,), whole_words=True, add_bos=True), ("tekken",)),
    (Split((GPT4O,)), ("gpt-4o", "llama4", "kanana2")),
    (Split((r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]")), ("falcon",)),
    (Split((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK, r"\p{N}")), ("deepseek-coder",)),
    (Split((r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3)), ("deepseek-v3", "hunyuan-dense")),
    (Split((r" ?[^(\s|.,!?…。，、।۔،)]+",)), ("bloom", "poro-chat", "gpt3-finnish")),
)
SPLITS: dict[str, Split] = {name: split for split, names in _FAMILIES for name in names}


def pre_tokenizer(split: Split) -> pre_tokenizers.PreTokenizer:
    """Cuts by the patterns, then writes each byte as one printable character, as byte-level vocabularies are spelt."""
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in split.patterns]
    return pre_tokenizers.Sequence([*cuts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
