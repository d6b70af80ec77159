"""Where everything of a run lies. One property per file of the contract, so that no other file spells a path."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from burnish.core.errors import BurnishError
from burnish.core.files import disk_errors


@dataclass(frozen=True)
class RunFolder:
    """A run is one folder; a stage is a function from folder to folder."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.yaml"

    @property
    def environment(self) -> Path:
        return self.path / "environment.json"

    @property
    def stages(self) -> Path:
        return self.path / "stages.json"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def train(self) -> Path:
        return self.data / "train.jsonl"

    @property
    def dev(self) -> Path:
        return self.data / "dev.jsonl"

    @property
    def test(self) -> Path:
        return self.data / "test.jsonl"

    @property
    def dropped(self) -> Path:
        return self.data / "dropped.jsonl"

    @property
    def changed(self) -> Path:
        return self.data / "changed.jsonl"

    @property
    def flagged(self) -> Path:
        return self.data / "flagged.jsonl"

    @property
    def made(self) -> Path:
        """How each row that a model wrote was made: made.jsonl."""
        return self.data / "made.jsonl"

    @property
    def replies(self) -> Path:
        """What a model that makes rows replied: outside of data, so that preparing anew asks nothing twice."""
        return self.path / "replies.jsonl"

    @property
    def data_card(self) -> Path:
        return self.data / "card.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def timings(self) -> Path:
        return self.path / "timings.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        return self.path / "adapter"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def reference(self) -> Path:
        """What the model before training says about the pairs, where that is asked once: reference.json."""
        return self.path / "reference.json"

    @property
    def probe(self) -> Path:
        """The learning rates that were tried before training, where that was asked for: probe.json."""
        return self.path / "probe.json"

    @property
    def own_answers(self) -> Path:
        """What the model before training answers to general prompts, where a guard asks for it: own_answers.json."""
        return self.path / "own_answers.json"

    @property
    def training(self) -> Path:
        """What training chose and why: training.json."""
        return self.path / "training.json"

    @property
    def arms(self) -> Path:
        return self.path / "arms.json"

    @property
    def items(self) -> Path:
        return self.path / "items.jsonl"

    @property
    def asked(self) -> Path:
        """What opponents at an address answered: asked.jsonl."""
        return self.path / "asked.jsonl"

    @property
    def seeds(self) -> Path:
        """How trainings with other seeds came out: seeds.json."""
        return self.path / "seeds.json"

    @property
    def retraining(self) -> Path:
        """Which run this one repeats with another seed: retraining.json."""
        return self.path / "retraining.json"

    @property
    def judged(self) -> Path:
        """What the judge of free text replied: judged.jsonl."""
        return self.path / "judged.jsonl"

    @property
    def arena(self) -> Path:
        """The votes of people: arena.sqlite."""
        return self.path / "arena.sqlite"

    @property
    def verdict_json(self) -> Path:
        return self.path / "verdict.json"

    @property
    def verdict_md(self) -> Path:
        return self.path / "verdict.md"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def export(self) -> Path:
        return self.path / "export"

    @property
    def parity(self) -> Path:
        return self.export / "parity.json"

    @property
    def card(self) -> Path:
        return self.path / "card.md"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    def create(self) -> None:
        """Makes the folder. Raises BurnishError where it may not be written."""
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process works on a run; a dead one leaves no lock behind, for the kernel drops it.

        Raises BurnishError: another process holds the run.
        """
        with disk_errors(self.path):
            file = (self.path / ".lock").open("a+")
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BurnishError(
                    "Another process is working on this run.",
                    where=str(self.path),
                    next_move="wait for it, or give this one another name with --name",
                ) from error
            yield
        finally:
            file.close()
