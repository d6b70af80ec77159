"""From a run or an adapter on disk to what can be served: an update for a base that several share, or a network of its
own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from burnish.adapt.lora_file import read_lora
from burnish.adapt.methods import CONFIG, has_adapter
from burnish.adapt.settings import LoRASettings, PeftSettings
from burnish.core.errors import ModelError, RecipeError
from burnish.core.files import read_json, sha256_of_tree
from burnish.core.run_folder import RunFolder
from burnish.model.bank import Factors
from burnish.pipeline.stages import finished
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import read_recipe


@dataclass(frozen=True)
class Update:
    """A plain LoRA adapter. `key` is the hash of its content."""

    key: str
    factors: Mapping[str, Factors]  # by transformers' name of the matrix


def open_run(folder: Path) -> Workshop:
    """A trained run. Raises RecipeError: it is none; ModelError: its base is not the one that it was trained on."""
    run = RunFolder(folder)
    if not run.recipe.is_file() or not finished(run, "train"):
        raise RecipeError(
            "This run is not trained yet." if run.recipe.is_file() else "There is no run to serve.",
            where=str(folder),
            next_move="`burnish runs` lists what there is; `burnish run` goes on where one stopped",
        )
    recipe, base = read_recipe(run.recipe)
    shop = Workshop(recipe, base, run)
    trained_on = str(read_json(run.environment)["model"]["sha256"])
    if has_adapter(recipe.adapt) and trained_on != shop.model_hash:
        raise ModelError(
            "The model is not the one that this run was trained on.",
            where=str(shop.path),
            seen=f"sha256 {shop.model_hash[:12]}…, trained on {trained_on[:12]}…",
            next_move="put the old file back, or train again with --fresh",
        )
    return shop


def shared_update(shop: Workshop) -> Update | None:
    """The update of a run that can share its base with others; None where it needs a network of its own: another
    method, a base in fewer bits, or a vocabulary that was added to."""
    adapt, model = shop.recipe.adapt, shop.recipe.model
    plain = isinstance(adapt, LoRASettings | PeftSettings) and model.weights in ("dense", "stored")
    if not plain or model.new_tokens:
        return None
    try:
        return read_update(shop.run.adapter)
    except ModelError:  # more than A and B, such as DoRA's lengths: its own method can load it
        return None


def read_update(folder: Path) -> Update:
    """An adapter in peft's layout, from anybody. Raises ModelError: it is damaged, or more than plain LoRA."""
    factors = {name: (one.a, one.b * one.scale) for name, one in read_lora(folder).items()}
    return Update(sha256_of_tree(folder), factors)


def is_adapter(folder: Path) -> bool:
    """Whether the folder is an adapter in peft's layout, and no run."""
    return (folder / CONFIG).is_file()


def model_name(name: str) -> str:
    """How a base is called by those who ask: as a recipe names it, or a path by its last part."""
    path = Path(name)
    looks_like_path = path.is_absolute() or name.startswith((".", "~")) or path.suffix == ".gguf" or path.exists()
    return (path.stem if path.suffix == ".gguf" else path.resolve().name) if looks_like_path else name
