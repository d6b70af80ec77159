"""Rows that mean the same in other words: neighbours in the space of a sentence embedding model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel

from burnish.core.errors import DataError, ModelError
from burnish.core.panics import as_model_error
from burnish.data.duplicates.near import NearPairs, with_meaning
from burnish.data.duplicates.words import Indices
from burnish.model.folder import folder_tokenizer
from burnish.model.resolve import resolve

MOST_ROWS = 200_000
MOST_TOKENS = 256
ROWS_AT_ONCE = 64
BLOCK_ROWS = 2048
MOST_NEIGHBOURS = 16


def semantic_pairs(
    near: NearPairs, text_of: Callable[[int], str], model: str, threshold: float, *, base: Path | None = None
) -> NearPairs:
    """`near` with the pairs of rows whose embeddings have at least this cosine.

    `text_of` gives what a row says; of rows with the same words only the first is asked for. Every row is compared with
    every other, so the cost is quadratic: seconds for 10,000 rows, minutes for 100,000.

    Raises DataError: there are too many rows. Raises ModelError: the model cannot be used.
    """
    rows = np.flatnonzero(near.same_N == np.arange(len(near.same_N)))
    if len(rows) > MOST_ROWS:
        raise DataError(
            "There are too many rows to compare their meaning.",
            seen=f"{len(rows)} different rows, at most {MOST_ROWS}",
            next_move="set `semantic: off`, or use fewer rows",
        )
    vectors_V_D = embed(rows, text_of, resolve(model, base=base))
    one, other, cosine = neighbours(vectors_V_D, threshold)
    return with_meaning(near, rows[one], rows[other], cosine)


def embed(rows: Indices, text_of: Callable[[int], str], folder: Path) -> NDArray[np.float32]:
    """(V, D) embeddings of length 1: the mean of the last hidden states of a text's tokens (Reimers and Gurevych 2019).

    Rows of like length are taken together, so little is spent on padding; at most 256 tokens of each are read. Weights
    come from safetensors only, and no code of the model's folder is run.
    """
    tokenizer = folder_tokenizer(folder)
    with as_model_error(lambda error: _unusable(folder, error)):
        model = AutoModel.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True, use_safetensors=True, dtype=torch.float32
        ).eval()
    vectors_V_D = np.empty((len(rows), model.config.hidden_size), np.float32)
    for places in _by_length(rows, text_of):
        texts = [text_of(int(row)) for row in rows[places]]
        batch = tokenizer(texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            hidden_B_T_D = model(**batch).last_hidden_state
        mask_B_T_1 = batch["attention_mask"].unsqueeze(-1)
        mean_B_D = (hidden_B_T_D * mask_B_T_1).sum(1) / mask_B_T_1.sum(1).clamp(min=1)
        vectors_V_D[places] = torch.nn.functional.normalize(mean_B_D, dim=-1).numpy()
    return vectors_V_D


def _unusable(folder: Path, error: BaseException) -> ModelError:
    return ModelError(
        "The embedding model cannot be read.",
        where=str(folder),
        seen=str(error).strip()[:200],
        next_move="name a model with safetensors weights, such as sentence-transformers/all-MiniLM-L6-v2",
    )


def _by_length(rows: Indices, text_of: Callable[[int], str]) -> Iterator[Indices]:
    """Places of rows in batches, the shortest first."""
    lengths = np.array([len(text_of(int(row))) for row in rows], np.int64)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), ROWS_AT_ONCE):
        yield order[start : start + ROWS_AT_ONCE]


def neighbours(vectors_V_D: NDArray[np.float32], threshold: float) -> tuple[Indices, Indices, NDArray[np.float32]]:
    """Pairs (one < other) of unit vectors with at least this cosine, for each the 16 nearest that follow in its block.

    Blocks of 2048 x 2048 cosines, so memory does not grow with the number of pairs that are compared.
    """
    ones, others, cosines = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for top in range(0, len(vectors_V_D), BLOCK_ROWS):
        for left in range(top, len(vectors_V_D), BLOCK_ROWS):
            block = vectors_V_D[top : top + BLOCK_ROWS] @ vectors_V_D[left : left + BLOCK_ROWS].T
            if left == top:
                block[np.tril_indices(len(block))] = -2  # each pair once, and no row with itself
            if block.shape[1] > MOST_NEIGHBOURS and (block >= threshold).sum(1).max(initial=0) > MOST_NEIGHBOURS:
                least = np.partition(block, -MOST_NEIGHBOURS, axis=1)[:, -MOST_NEIGHBOURS, None]
                block[block < least] = -2
            one, other = np.nonzero(block >= threshold)
            ones.append(one + top)
            others.append(other + left)
            cosines.append(block[one, other])
    return np.concatenate(ones), np.concatenate(others), np.concatenate(cosines)
