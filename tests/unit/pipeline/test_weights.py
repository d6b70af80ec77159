"""Which recipes go together with which form of the base, and when blocks are unpacked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from burnish.core.errors import RecipeError
from burnish.model.checkpoint import read_checkpoint
from burnish.pipeline.weights import base_packing, check_weights
from burnish.recipe.recipe import Recipe
from tests.tiny import write_gguf_model

CPU = torch.device("cpu")


def recipe(weights: str = "dense", adapt: dict[str, Any] | None = None, forms: tuple[str, ...] = ()) -> Recipe:
    return Recipe.model_validate(
        {
            "model": {"name": "base.gguf", "weights": weights},
            "data": {"train": "rows.jsonl"},
            "adapt": adapt or {"type": "lora"},
            "export": {"forms": forms},
        }
    )


def test_lora_on_stored_blocks_with_their_own_form_of_export_goes_together(tmp_path: Path) -> None:
    check_weights(recipe("stored", forms=("adapter-gguf", "merged")), tmp_path / "base.gguf")


@pytest.mark.parametrize("adapt", [{"type": "full"}, {"type": "freeze"}, {"type": "peft", "config": {}}])
def test_methods_that_want_the_weights_dense_are_refused(adapt: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"needs the base's weights dense"):
        check_weights(recipe("stored", adapt), tmp_path / "base.gguf")


def test_a_folder_has_no_blocks(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="this model is a folder"):
        check_weights(recipe("stored"), tmp_path)


@pytest.mark.parametrize(
    "adapt",
    [{"type": "full"}, {"type": "lora", "dora": True}, {"type": "peft", "config": {"peft_type": "IA3"}}],
)
def test_what_llamacpps_adapters_cannot_hold_is_refused_before_training(adapt: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"llama\.cpp's adapters"):
        check_weights(recipe("dense", adapt, ("adapter-gguf",)), tmp_path / "base.gguf")


def test_blocks_are_kept_while_training_and_unpacked_where_there_is_room(tiny_folder: Path, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_gguf_model(tmp_path / "tiny.gguf", tiny_folder))
    kept = base_packing("stored", checkpoint, dtype=torch.float32, device=CPU, trains=True)
    assert kept is not None
    assert base_packing("stored", checkpoint, dtype=torch.float32, device=CPU, trains=False) is None
    assert base_packing("dense", checkpoint, dtype=torch.float32, device=CPU, trains=True) is None
