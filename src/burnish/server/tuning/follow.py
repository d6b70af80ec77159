"""A run's own logs → events of its job: each line once and in order, also when server or run were killed between.

What was taken in stands in the store, in the same transaction as the events made of it: so many lines of events.jsonl,
and metrics.jsonl up to a step. A run that goes on from a checkpoint does some steps again, to the same numbers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.run_folder import RunFolder
from burnish.server.tuning.events import add_event
from burnish.server.tuning.jobs import get_job
from burnish.server.tuning.store import Store

RECENT = 20  # steps whose speed tells how long the rest takes
LAST_BYTES = 4096  # more than their lines have
PLANNED = "training planned"
STAGES: Mapping[str, str] = {
    "prepare ends": "Files prepared: split into parts for training, for early stopping and for the verdict",
    "train begins": "Training begins",
    "train ends": "Training has ended, the weights that were best on the validation data are kept",
    "evaluate begins": "Comparing the tuned model with its base on rows that training never saw",
}


@dataclass
class _Tail:
    """Reads what was added to a file; from its beginning again where it was written anew."""

    path: Path
    inode: int = 0
    offset: int = 0
    lines: int = 0

    def new(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(number from 1, value) of each whole line that was not read before."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            status = self.path.stat()
            if status.st_ino != self.inode or status.st_size < self.offset:
                self.inode, self.offset, self.lines = status.st_ino, 0, 0
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # still being written
                self.offset += len(line)
                self.lines += 1
                try:
                    value = json.loads(line)
                except ValueError:  # a crash cut it short, and a whole one follows
                    continue
                yield self.lines, value


class Follower:
    """Where in its logs the run of a job was read up to."""

    def __init__(self, store: Store, job: str, run: RunFolder) -> None:
        self._store, self._job, self._run = store, job, run
        self._events, self._metrics = _Tail(run.events), _Tail(run.metrics)

    def take_in(self) -> None:
        """Adds what is new to the job's events."""
        try:
            with self._store.transaction():
                seen = get_job(self._store, self._job).lines
                for number, event in self._events.new():
                    if number > seen:
                        self._take_event(number, event)
                self._take_steps()
        except BaseException:  # nothing of it stands in the store
            self._events, self._metrics = _Tail(self._run.events), _Tail(self._run.metrics)
            raise

    def _take_event(self, number: int, event: Mapping[str, Any]) -> None:
        what = str(event.get("what"))
        if what == "train ends":
            self._take_steps()  # they were written before
            self._store.change("UPDATE jobs SET estimated_finish = NULL WHERE id = ?", (self._job,))
        if text := STAGES.get(what):
            add_event(self._store, self._job, text)
        if what == PLANNED:
            self._store.change("UPDATE jobs SET steps = ? WHERE id = ?", (int(event["steps"]), self._job))
        self._store.change("UPDATE jobs SET lines = ? WHERE id = ?", (number, self._job))

    def _take_steps(self) -> None:
        job = get_job(self._store, self._job)
        lines = [line for _, line in self._metrics.new() if int(line.get("step", 0)) > job.step]
        for line in lines:
            add_event(self._store, self._job, step_message(line, job.steps), data=step_data(line, job.steps),
                      kind="metrics")  # fmt: skip
        if lines:
            self._note_step(int(lines[-1]["step"]), job.steps)

    def _note_step(self, step: int, steps: int | None) -> None:
        recent = last_seconds(self._run.timings)
        left = (steps or step) - step
        mean = sum(recent) / len(recent) if recent else 0.0
        finish = int(time.time() + left * mean) if recent and left else None  # how long the verdict takes is not known
        self._store.change(
            "UPDATE jobs SET step = ?, estimated_finish = CASE status WHEN 'running' THEN ? END WHERE id = ?",
            (step, finish, self._job),
        )


def last_seconds(path: Path) -> list[float]:
    """What the last steps took, from the end of timings.jsonl."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LAST_BYTES))
        lines = file.read().split(b"\n")[-RECENT - 1 : -1]  # what follows the last line end is still being written
    return [float(json.loads(line)["seconds"]) for line in lines if line.startswith(b"{") and line.endswith(b"}")]


def step_message(line: Mapping[str, Any], steps: int | None) -> str:
    """'Step 12/100: training loss=1.23, validation loss=1.31'."""
    loss = line.get("loss")
    text = f"Step {line['step']}{f'/{steps}' if steps else ''}: training loss="
    text += "not finite, left out" if loss is None else f"{loss:.2f}"
    return text + (f", validation loss={line['dev_loss']:.2f}" if "dev_loss" in line else "")


def step_data(line: Mapping[str, Any], steps: int | None) -> dict[str, Any]:
    """The same for programs."""
    names = {"train_loss": "loss", "train_mean_token_accuracy": "accuracy",
             "valid_loss": "dev_loss", "valid_mean_token_accuracy": "dev_accuracy"}  # fmt: skip
    found = {theirs: line[ours] for theirs, ours in names.items() if ours in line}
    return {"step": line["step"], "total_steps": steps, "train_loss": None, **found}
