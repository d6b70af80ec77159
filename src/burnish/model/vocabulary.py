"""New tokens: words of the user's that the tokenizer takes whole from now on, with rows of their own.

A new row begins as the mean of the old ones. The output layer then gives a new token no more than the average token's
share, whatever the text, so the model says at first what it said before; a random row can outweigh them all
(arXiv 2109.07306, and Hewitt, "Initializing New Word Embeddings for Pretrained Language Models", 2021).

Names: V rows of the vocabulary, D width of the model.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from tokenizers import AddedToken
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from burnish.core.errors import RecipeError
from burnish.model.checkpoint import Checkpoint

TABLES = ("model.embed_tokens.weight", "lm_head.weight")


def with_new_tokens(checkpoint: Checkpoint, names: Sequence[str]) -> Checkpoint:
    """The same model with these tokens. Rows that only filled the vocabulary up are used before new ones are added.

    Raises RecipeError: a name is a token already, stands twice, begins or ends with white space, or can't be decoded.
    """
    if not names:
        return checkpoint
    _check(checkpoint.tokenizer, names)
    tokenizer = copy.deepcopy(checkpoint.tokenizer)
    old = len(tokenizer)
    # Not special: their names are text that a person may type, and text they stay when an answer is decoded.
    tokenizer.add_tokens([AddedToken(name, normalized=False, special=False) for name in names])
    vocabulary = tokenizer.get_vocab()
    ids = tuple(vocabulary[name] for name in names)
    for name, index in zip(names, ids, strict=True):
        if tokenizer.decode([index]) != name:
            raise _refused("can't be written by this tokenizer, which reads some letters as bytes", name)
    size = max(int(checkpoint.config["vocab_size"]), len(tokenizer))
    return replace(
        checkpoint,
        config={**checkpoint.config, "vocab_size": size},
        tensors=_Grown(checkpoint.tensors, old, ids, size),
        tokenizer=tokenizer,
        new_ids=ids,
    )


def _check(tokenizer: PreTrainedTokenizerFast, names: Sequence[str]) -> None:
    known = tokenizer.get_vocab()
    for name in names:
        if name in known:
            trouble = "is a token of this model already"
        elif names.count(name) > 1:
            trouble = "stands twice"
        elif not name.strip() or name != name.strip():
            trouble = "is empty, or begins or ends with white space"
        else:
            continue
        raise _refused(trouble, name)


def _refused(trouble: str, name: str) -> RecipeError:
    return RecipeError(
        f"A new token {trouble}.", where="model.new_tokens", seen=repr(name), next_move="leave it out, or rename it"
    )


@dataclass(frozen=True)
class _Grown(Mapping[str, Tensor]):
    """A checkpoint's tensors, read when they are asked for, with `size` rows in the tables. `old`: how many of the
    rows there were belong to a token."""

    tensors: Mapping[str, Tensor]
    old: int
    ids: tuple[int, ...]
    size: int

    def __getitem__(self, name: str) -> Tensor:
        table = self.tensors[name]
        if name not in TABLES:
            return table
        grown = table.new_zeros(self.size, table.shape[1])
        grown[: len(table)] = table
        grown[list(self.ids)] = table[: self.old].mean(0, dtype=torch.float64).to(table.dtype)
        return grown

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)
