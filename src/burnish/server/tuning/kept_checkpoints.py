"""The checkpoints that a run has kept, each as a folder that can be served as the run itself is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.errors import BurnishError
from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder


@dataclass(frozen=True)
class Kept:
    """A step whose weights are there, and what was measured at it."""

    step: int
    line: Mapping[str, Any]

    @property
    def metrics(self) -> dict[str, Any]:
        """As OpenAI's checkpoint has them; the whole of the validation data is measured each time."""
        loss, valid = self.line.get("loss"), self.line.get("dev_loss")
        right, valid_right = self.line.get("accuracy"), self.line.get("dev_accuracy")
        return {
            "step": self.step,
            "train_loss": loss,
            "train_mean_token_accuracy": right,
            "valid_loss": valid,
            "valid_mean_token_accuracy": valid_right,
            "full_valid_loss": valid,
            "full_valid_mean_token_accuracy": valid_right,
        }


def kept_checkpoints(run: RunFolder, lines: Sequence[Mapping[str, Any]]) -> list[Kept]:
    """Those that are on the disk, the oldest first. lines: metrics.jsonl."""
    return [
        Kept(line["step"], line)
        for line in lines
        if (run.checkpoints / f"{line['step']:06d}" / "manifest.json").is_file()
    ]


def as_run(run: RunFolder, step: int, folder: Path) -> Path | None:
    """Writes `folder` as a run whose adapter is that of the checkpoint. None: this method's checkpoint is no adapter by
    itself, so only the finished model can be served. Raises BurnishError: the checkpoint is damaged."""
    from burnish.adapt.methods import CONFIG, read_adapter, write_adapter
    from burnish.train.checkpoint import read_weights, step_folder

    if not run.adapter.is_dir():
        return None
    weights = {f"base_model.model.{name}.weight": tensor for name, tensor in
               read_weights(step_folder(run.checkpoints, step)).items()}  # fmt: skip
    final = read_adapter(run.adapter)
    if {name: t.shape for name, t in weights.items()} != {name: t.shape for name, t in final.items()}:
        return None
    made = RunFolder(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_adapter(made.adapter, weights, read_json(run.adapter / CONFIG))
    for source in (run.recipe, run.environment, run.stages, run.training):
        shutil.copyfile(source, folder / source.name)
    return folder


def served_checkpoint(run: RunFolder, step: int, folder: Path) -> Path | None:
    """`as_run`, where a damaged checkpoint is none either: the job has succeeded without it."""
    try:
        return as_run(run, step, folder)
    except (BurnishError, OSError):
        return None
