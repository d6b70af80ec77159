"""Is a folder still what was written? An export by its manifest; a run by all the records of hashes that it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from burnish.core.errors import BurnishError
from burnish.core.events import first_broken_line
from burnish.core.files import sha256_of_tree
from burnish.core.run_folder import RunFolder
from burnish.deploy.manifest import MANIFEST, differences
from burnish.pipeline.stages import read_stages
from burnish.train.checkpoint import bad_file, step_folder, steps_in


@dataclass(frozen=True)
class Checked:
    """A part that was looked at, and each thing in it that is not as it was written."""

    part: str
    found: tuple[str, ...]


def verify(folder: Path) -> list[Checked]:
    """Looks at a folder with a manifest, or at all parts of a run that have a record.

    Raises BurnishError: there is nothing to hold the folder against.
    """
    run = RunFolder(folder)
    if not run.stages.is_file():
        return [_export(folder, folder.name)]
    parts = list(_parts(run))
    if not parts:
        raise BurnishError("Nothing of this run has a record yet.", where=str(folder), next_move="train it first")
    return parts


def _parts(run: RunFolder) -> Iterator[Checked]:
    if run.events.is_file():
        line = first_broken_line(run.events)
        yield Checked(run.events.name, () if line is None else (f"line {line} does not fit the line before it",))
    for step in steps_in(run.checkpoints):
        folder = step_folder(run.checkpoints, step)
        bad = bad_file(folder)
        yield Checked(f"{run.checkpoints.name}/{folder.name}", () if bad is None else (f"changed: {bad}",))
    yield from _judged(run)
    if run.export.is_dir():
        yield _export(run.export, run.export.name)


def _judged(run: RunFolder) -> Iterator[Checked]:
    """Weights and data against their hashes as they were judged and exported."""
    stages = read_stages(run)
    for stage in ("evaluate", "export"):
        inputs = stages.get(stage, {}).get("inputs", {})
        for key, folder in (("weights", run.adapter if run.adapter.is_dir() else run.model), ("data", run.data)):
            if key in inputs:
                same = inputs[key] == sha256_of_tree(folder)
                yield Checked(f"{folder.name}, as for {stage}", () if same else ("not what was there then",))


def _export(folder: Path, name: str) -> Checked:
    if not (folder / MANIFEST).exists() and not folder.is_dir():
        raise BurnishError("There is no such folder.", where=str(folder), next_move="check the path, or `burnish runs`")
    return Checked(name, tuple(map(str, differences(folder))))
