"""The adapters that runs left: what each is, and a weighted sum of several as a new one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from burnish.adapt.lora_file import read_config, read_lora
from burnish.adapt.methods import CONFIG
from burnish.adapt.several import combined, write_update
from burnish.core.errors import ModelError, RecipeError
from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder


@dataclass(frozen=True)
class Found:
    """An adapter on this machine. `model_hash`: sha256 of the base; empty for a folder that no run made."""

    name: str
    folder: Path
    weight: float = 1.0
    model_hash: str = ""

    @property
    def kind(self) -> str:
        """ "LORA r 16", "LORA r 16, dora", "IA3"."""
        config = read_config(self.folder)
        rank = f" r {config['r']}" if "r" in config else ""
        marks = [mark for mark in ("rslora", "dora") if config.get(f"use_{mark}")]
        return ", ".join([f"{config.get('peft_type', '?')}{rank}", *marks])

    @property
    def base(self) -> str:
        """The base model, as the adapter names it."""
        return str(read_config(self.folder).get("base_model_name_or_path", "?"))

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for path in self.folder.glob("adapter_*"))


def find_adapter(text: str, runs: Path) -> Found:
    """`NAME` or `NAME=WEIGHT`, where NAME is a run or the folder of a run or of an adapter.

    Raises RecipeError: the weight is no number, or there is no adapter of that name.
    """
    name, equals, number = text.partition("=")
    try:
        weight = float(number) if equals else 1.0
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise RecipeError("The weight of an adapter is a number.", seen=text, next_move="write `NAME=0.5`")
    for folder in (Path(name), runs / name):
        if (folder / CONFIG).is_file():
            return Found(name, folder, weight)
        run = RunFolder(folder)
        if (run.adapter / CONFIG).is_file():
            made = read_json(run.environment)["model"]["sha256"] if run.environment.is_file() else ""
            return Found(run.name, run.adapter, weight, made)
    raise RecipeError(
        "There is no adapter of that name.", seen=name, next_move="`burnish adapters` lists those of all runs"
    )


def all_adapters(runs: Path) -> list[Found]:
    """Those of all runs in a folder, by name."""
    return [find_adapter(path.parent.parent.name, runs) for path in sorted(runs.glob(f"*/adapter/{CONFIG}"))]


def combine_adapters(chosen: Sequence[Found], folder: Path) -> int:
    """Writes the weighted sum as one adapter in peft's layout. Returns its largest rank.

    Raises RecipeError: the folder exists, or one is named twice; ModelError: they are of several bases, or more than
    plain LoRA.
    """
    if folder.exists():
        raise RecipeError("The folder of the new adapter exists.", seen=str(folder), next_move="name another")
    names = [one.name for one in chosen]
    if len(set(names)) < len(names):
        raise RecipeError("An adapter is named twice.", seen=", ".join(names), next_move="give it one weight")
    if len({one.model_hash for one in chosen} - {""}) > 1:
        raise ModelError(
            "These adapters are of different base models.",
            seen=", ".join(f"{one.name}: {one.base}" for one in chosen),
            next_move="combine adapters that were trained on one base",
        )
    updates = combined({one.name: read_lora(one.folder) for one in chosen}, {one.name: one.weight for one in chosen})
    folder.mkdir(parents=True)
    write_update(folder, updates, base=chosen[0].base)
    return max(update.a.shape[0] for update in updates.values())
