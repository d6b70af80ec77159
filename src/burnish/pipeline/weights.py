"""In which form a run keeps its frozen base, and when."""

from __future__ import annotations

from pathlib import Path

import torch

from burnish.adapt.packed import check_packed
from burnish.adapt.settings import AdaptSettings, LoRASettings, PeftSettings
from burnish.core.errors import RecipeError
from burnish.core.hardware import memory_bytes
from burnish.model.checkpoint import Checkpoint
from burnish.model.packing import Packing, make_packing
from burnish.model.settings import WeightsForm
from burnish.recipe.recipe import Recipe

SHARE = 4  # of the machine's memory that dense weights may take while nothing trains


def check_weights(recipe: Recipe, path: Path) -> None:
    """Before any work. Raises RecipeError: model, method and `model.weights` do not go together."""
    check_packed(recipe.adapt, recipe.model.weights)
    check_forms(recipe)
    if recipe.model.weights == "stored" and recipe.model.new_tokens:
        raise RecipeError(
            "`model.weights: stored` keeps the table of tokens as its file has it: no row can be added.",
            where="model.new_tokens",
            seen=", ".join(recipe.model.new_tokens),
            next_move="leave new_tokens out, or set model.weights to dense",
        )
    if recipe.model.weights == "stored" and path.is_dir():
        raise RecipeError(
            "`model.weights: stored` keeps the blocks of a GGUF file, and this model is a folder.",
            where="model.weights",
            seen=str(path),
            next_move="name a .gguf file, or set model.weights to dense",
        )


def check_forms(recipe: Recipe) -> None:
    """Raises RecipeError: a form of the export cannot hold what this method makes."""
    if "adapter-gguf" in recipe.export.forms and not _is_plain_lora(recipe.adapt):
        raise RecipeError(
            "llama.cpp's adapters hold LoRA without DoRA, and nothing else.",
            where="export",
            seen=f"adapter-gguf with adapt.type {recipe.adapt.type}",
            next_move="export gguf-q8_0, where it is worked into the weights, or train with plain lora",
        )


def _is_plain_lora(adapt: AdaptSettings) -> bool:
    if isinstance(adapt, PeftSettings):
        return str(adapt.config.get("peft_type", "")).upper() == "LORA" and not adapt.config.get("use_dora")
    return isinstance(adapt, LoRASettings) and not adapt.dora


def base_packing(
    form: WeightsForm, checkpoint: Checkpoint, *, dtype: torch.dtype, device: torch.device, trains: bool
) -> Packing | None:
    """None: dense. Blocks of a file unpack to the same weights, so outside training they are unpacked once and for all
    where that takes at most a quarter of the memory: generation asks for every weight at every token."""
    if form == "stored" and not trains and SHARE * _dense_bytes(checkpoint, dtype) <= memory_bytes():
        return None
    return make_packing(form, checkpoint.tensors, dtype=dtype, device=device)


def _dense_bytes(checkpoint: Checkpoint, dtype: torch.dtype) -> int:
    config = checkpoint.config
    inner = config["hidden_size"] * config["intermediate_size"] * 3
    heads = (config["num_attention_heads"] + config["num_key_value_heads"]) * config["head_dim"]
    layer = inner + 2 * config["hidden_size"] * heads
    tables = config["vocab_size"] * config["hidden_size"] * (1 if config["tie_word_embeddings"] else 2)
    return int(layer * config["num_hidden_layers"] + tables) * dtype.itemsize
