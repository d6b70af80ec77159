"""What the routes and the runner share: the record, the folders, the models that may be tuned, and whom to tell."""

from __future__ import annotations

import contextlib
import fcntl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from burnish.core.errors import BurnishError
from burnish.core.files import disk_errors
from burnish.core.run_folder import RunFolder
from burnish.server.tuning.files import Files
from burnish.server.tuning.recipe import check_common
from burnish.server.tuning.store import Store

Publish: TypeAlias = Callable[[str, Path], None]  # (the tuned model's name, the folder of its run)
FOLDER = ".openai"  # in the folder of the runs


@dataclass(frozen=True)
class Desk:
    """`bases`: a name as clients write it → what a recipe calls the model. `common`: groups of a recipe that hold for
    every run, by the will of the server's owner."""

    store: Store
    files: Files
    runs: Path
    jobs: Path
    bases: Mapping[str, str]
    publish: Publish
    common: Mapping[str, Any] = field(default_factory=dict)
    organisation: str = "burnish"
    changed: threading.Event = field(default_factory=threading.Event)

    @property
    def last_stage(self) -> Literal["evaluate", "export"]:
        """Where a run ends: a job's model is served from its run folder, and exported only where the owner wants it."""
        return "export" if self.common.get("export") else "evaluate"

    def run(self, job: str) -> RunFolder:
        return RunFolder(self.runs / job)

    def folder(self, job: str) -> Path:
        return self.jobs / job


@contextlib.contextmanager
def desk_at(
    runs: Path,
    bases: Mapping[str, str],
    publish: Publish,
    *,
    common: Mapping[str, Any] | None = None,
    organisation: str = "burnish",
    state: Path | None = None,
) -> Iterator[Desk]:
    """Opens the desk's folder, `.openai` beside the runs, readable for its owner alone; nothing is run yet.

    Raises BurnishError: another server works on it, or it cannot be written; RecipeError: `common` is no recipe's part.
    """
    check_common(common or {})
    runs, folder = runs.absolute(), (state or runs / FOLDER).absolute()
    with disk_errors(folder):
        runs.mkdir(parents=True, exist_ok=True)
        for path in (folder, folder / "files", folder / "jobs"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
    with _alone(folder):
        store = Store(folder / "desk.sqlite")
        try:
            files = Files(store, folder / "files")
            files.forget_strays()
            yield Desk(store, files, runs, folder / "jobs", bases, publish, common or {}, organisation)
        finally:
            store.close()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One server at a time; the kernel forgets a dead one."""
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BurnishError(
                "Another server works on these fine-tuning jobs.",
                where=str(folder),
                next_move="stop it, or serve with another folder of runs (--out)",
            ) from error
        yield
