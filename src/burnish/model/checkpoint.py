"""A pretrained model as it is found on disk, from a folder or a .gguf file, before it becomes a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from burnish.core.errors import ModelError
from burnish.model import phi3
from burnish.model.folder import folder_config, folder_generation, folder_tensors, folder_tokenizer
from burnish.model.gguf_config import gguf_config
from burnish.model.gguf_file import read_gguf
from burnish.model.gguf_model import gguf_tensors
from burnish.model.gguf_tokenizer import gguf_generation, gguf_tokenizer


@dataclass(frozen=True)
class Checkpoint:
    """config: keys and values as in transformers' config.json. tensors: under transformers' names and in torch's
    shapes, `lm_head.weight` absent when it is tied to the embedding; float types as stored, GGUF's blocks as float32.
    generation: as in generation_config.json, may be empty. A GGUF file's tensors are read when they are asked for.
    new_ids: tokens that were added for this run, whose rows are not learnt yet. as_stored: False where the folder holds
    these weights in another layout, which other programs' adapters would not fit.
    """

    config: dict[str, Any]
    tensors: Mapping[str, torch.Tensor]
    tokenizer: PreTrainedTokenizerFast
    path: Path
    generation: dict[str, Any]
    new_ids: tuple[int, ...] = ()
    as_stored: bool = True

    @property
    def tokens(self) -> int:
        """Ids below it are tokens; rows of the tables beyond only fill them up."""
        return max(self.tokenizer.get_vocab().values()) + 1


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a model folder or a .gguf file whole.

    Raises ModelError: a part is missing, damaged, or of a kind that Burnish cannot read.
    """
    if _is_gguf(path):
        file = read_gguf(path)
        config = gguf_config(file)
        return Checkpoint(config, gguf_tensors(file, config), gguf_tokenizer(file), path, gguf_generation(file))
    config = folder_config(path)
    tensors, tokenizer, generation = folder_tensors(path, config), folder_tokenizer(path), folder_generation(path)
    if config["model_type"] == phi3.KIND:
        return Checkpoint(*phi3.as_llama(config, tensors), tokenizer, path, generation, as_stored=False)
    return Checkpoint(config, tensors, tokenizer, path, generation)


def read_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """The tokenizer alone, without the weights.

    Raises ModelError: it is missing, damaged, or of a kind that Burnish cannot read.
    """
    return gguf_tokenizer(read_gguf(path)) if _is_gguf(path) else folder_tokenizer(path)


def _is_gguf(path: Path) -> bool:
    if not path.exists():
        raise ModelError("There is no such model.", where=str(path), next_move="check the path")
    return path.is_file()
