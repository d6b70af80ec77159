"""K2, without power: what a reader makes of every disk that a loss of power may leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from burnish.core.files import append_jsonl, read_jsonl
from burnish.core.run_folder import RunFolder
from burnish.train.checkpoint import newest_checkpoint
from burnish.train.optimiser import AdamW
from burnish.train.saving import cut_lines, save
from burnish.train.work import Progress
from tests.crash.disk_calls import Call, seen
from tests.crash.power_loss import crashes, materialise

STEPS, SAVE_EVERY = 8, 2


@dataclass(frozen=True)
class State:
    """`saved`: the newest step whose save had returned; `found`: the one a reader takes; `lines`: steps of metrics."""

    after: str
    saved: int
    found: int
    lines: list[int]

    def __str__(self) -> str:
        return f"after {self.after}: step {self.saved} was saved, {self.found} is found, metrics hold {self.lines}"


def changes_of_saves(root: Path) -> list[Call]:
    """The changes on disk of a few steps and saves of one small weight, with a mark after each save."""
    run, calls = RunFolder(root), list[Call]()
    run.create()
    weight = nn.Parameter(torch.zeros(3))
    optimiser = AdamW({"weight": weight}, 0.0)
    with seen(calls.append):
        for step in range(1, STEPS + 1):
            weight.grad = torch.ones(3)
            optimiser.step(0.0)
            with torch.no_grad():
                weight.fill_(step)
            append_jsonl(run.metrics, {"step": step})
            if step % SAVE_EVERY == 0:
                save(run, {"weight": weight}, optimiser, Progress(step=step))
                calls.append(Call("saved", root))
    return calls


def states_after_loss(root: Path, calls: Sequence[Call], seed: int, more: int) -> Iterator[State]:
    """Raises AssertionError: a checkpoint is loaded that does not hold what was saved under its step."""
    saves = [at for at, call in enumerate(calls) if call.name == "saved"]
    for number, (done, content) in enumerate(crashes(calls, root, seed, more)):
        folder = root.with_name(f"{root.name}-{number}")
        materialise(content, folder)
        run = RunFolder(folder)
        found = newest_checkpoint(run.checkpoints, lambda text: None)
        step = int(found.state["step"]) if found else 0
        assert found is None or found.weights["weight"].tolist() == [step] * 3
        cut_lines(run.metrics, step)
        lines = [line["step"] for line in read_jsonl(run.metrics)] if run.metrics.exists() else []
        last = calls[done - 1]
        saved = SAVE_EVERY * sum(at < done for at in saves)
        yield State(f"{done} changes ({last.name} {last.path.name})", saved, step, lines)
