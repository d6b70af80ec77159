"""K4: a disk that is full, read-only, out of inodes or broken, through the real command line."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from burnish.train.checkpoint import newest_checkpoint
from tests.cli.run_cli import Result, burnish
from tests.crash.disk_calls import Call, seen
from tests.crash.small_disk import fill, mount_small_disk, set_read_only, use_up_inodes

SIZE, RUN_NEEDS = 4 * 2**20, 2**20 + 2**18  # bytes: of the disk, and a little more than the run ever holds
SETTINGS = ("train.steps=4", "train.save_every=1", "train.evaluate_every=2", "train.rows_per_update=4")
Outcome = dict[str, Any]


class Setting:
    """A prepared run to begin each time from, and what it ends with undisturbed."""

    def __init__(self, scratch: Path, model: Path) -> None:
        rows = [{"prompt": f"{n}: {thing}?", "completion": "blue"} for n in range(15) for thing in ("sky", "sea")]
        (scratch / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.arguments = ["--model", str(model), "--data", str(scratch / "rows.jsonl"), "--name", "run"]
        for setting in SETTINGS:
            self.arguments += ["--set", setting]
        self.prepared = scratch / "prepared"
        assert burnish("prepare", *self.arguments, "--out", scratch).code == 0
        (scratch / "run").rename(self.prepared)
        self.expected = self.left(self.begin(scratch / "undisturbed"))

    def begin(self, out: Path) -> Path:
        """A fresh prepared run in `out`."""
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.prepared, out / "run")
        return out

    def train(self, out: Path) -> Result:
        return burnish("train", *self.arguments, "--out", out)

    def left(self, out: Path) -> dict[str, bytes]:
        """Trains to the end; the files that must not depend on what happened before."""
        result = self.train(out)
        assert result.code == 0, result.err
        names = ("metrics.jsonl", "adapter/adapter_model.safetensors", "adapter/adapter_config.json")
        return {name: (out / "run" / name).read_bytes() for name in names}


def newest(out: Path) -> int:
    found = newest_checkpoint(out / "run" / "checkpoints", lambda text: None)
    return int(found.state["step"]) if found else 0


def unlooked() -> AbstractContextManager[Any]:
    """Somebody else takes the room right after Burnish has looked at it: every look finds plenty."""
    return patch.object(shutil, "disk_usage", lambda path: SimpleNamespace(total=2**40, used=0, free=2**40))


def full_disk(scratch: Path, model: Path, positions: int) -> list[Outcome]:
    """Leaves the run each of so many amounts of room, from none to all it needs, looked at beforehand and not."""
    setting, disk = Setting(scratch, model), scratch / "disk"
    disk.mkdir()
    mount_small_disk(disk, SIZE)
    outcomes = []
    for position in range(positions):
        for looks in (True, False):
            out = setting.begin(disk / "runs")
            filler = fill(disk, RUN_NEEDS * position // positions)
            with nullcontext() if looks else unlooked():
                stopped = setting.train(out)
            kept = newest(out)
            filler.unlink()
            outcomes.append(_outcome(setting, out, stopped, kept, position=position, looks=looks))
    return outcomes


def no_inodes(scratch: Path, model: Path, positions: int) -> list[Outcome]:
    """Leaves room for so many more files and folders."""
    setting, disk = Setting(scratch, model), scratch / "disk"
    disk.mkdir()
    mount_small_disk(disk, SIZE, inodes=200)
    outcomes = []
    for position in range(positions):
        out = setting.begin(disk / "runs")
        empty = use_up_inodes(disk, leave=2 * position)
        stopped = setting.train(out)
        kept = newest(out)
        for path in empty:
            path.unlink()
        outcomes.append(_outcome(setting, out, stopped, kept, position=position))
    return outcomes


def read_only(scratch: Path, model: Path) -> list[Outcome]:
    """A disk that can only be read, from the start."""
    setting, disk = Setting(scratch, model), scratch / "disk"
    disk.mkdir()
    mount_small_disk(disk, SIZE)
    out = setting.begin(disk / "runs")
    set_read_only(disk, True)
    stopped = setting.train(out)
    kept = newest(out)
    set_read_only(disk, False)
    return [_outcome(setting, out, stopped, kept)]


def failing_calls(scratch: Path, model: Path, error: int, every: int) -> list[Outcome]:
    """Every n-th change on disk of the training fails once with this error; so does every later one of its kind."""
    setting = Setting(scratch, model)
    calls = _count(setting, scratch / "counted")
    outcomes = []
    for at in range(0, calls, every):
        out = setting.begin(scratch / "runs")
        with seen(_failing(out, at, error)):
            stopped = setting.train(out)
        outcomes.append(_outcome(setting, out, stopped, newest(out), position=at, error=errno.errorcode[error]))
    return outcomes


def _count(setting: Setting, out: Path) -> int:
    counted: list[Call] = []
    setting.begin(out)
    with seen(lambda call: counted.append(call) if call.path.is_relative_to(out) else None):
        setting.train(out)
    return len(counted)


def _failing(out: Path, at: int, error: int) -> Callable[[Call], None]:
    count, broken = 0, False

    def before(call: Call) -> None:
        nonlocal count, broken
        if not call.path.is_relative_to(out):
            return
        count += 1
        broken = broken or count > at
        # Names can still be taken away: only what takes room, or waits for the disk, fails.
        if broken and call.name in ("create", "write", "fsync", "mkdir", "rename") and not _is_there(call):
            raise OSError(error, os.strerror(error), str(call.path))

    return before


def _is_there(call: Call) -> bool:
    return call.name == "mkdir" and call.path.exists()


def _outcome(setting: Setting, out: Path, stopped: Result, kept: int, **facts: Any) -> Outcome:
    same = setting.left(out) == setting.expected
    return {"code": stopped.code, "error": stopped.err, "kept": kept, "same": same, **facts}
