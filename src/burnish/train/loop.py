"""The one loop. It does not know the objective, and no method: it sees forests, sums and named parameters."""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from burnish.core.errors import Stopped
from burnish.core.files import append_jsonl, write_bytes
from burnish.core.run_folder import RunFolder
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.render.renderer import Rendered
from burnish.train import checkpoint as checkpoints
from burnish.train.guard import check_dev, check_step
from burnish.train.optimiser import make_adamw, optimiser_tensors, restore_optimiser
from burnish.train.order import rows_of_update
from burnish.train.progress import training_progress
from burnish.train.rules import Plan
from burnish.train.schedule import rate_at
from burnish.train.settings import TrainSettings


class Objective(Protocol):
    """What the loop asks of an objective: forests, counts to divide by, and sums."""

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]: ...

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]: ...

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Rows:
    """Rendered rows with the place each came from."""

    rendered: Sequence[Rendered]
    sources: Sequence[str]

    def take(self, numbers: Sequence[int]) -> list[tuple[int, Rendered]]:
        return [(number, self.rendered[number]) for number in numbers]


@dataclass
class Progress:
    """Where training stands: what a checkpoint's state.json holds."""

    step: int = 0
    best_step: int = 0
    best_loss: float | None = None
    worse: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)


def train(
    run: RunFolder,
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    objective: Objective,
    rows: Rows,
    dev: Rows,
    plan: Plan,
    settings: TrainSettings,
    world: World,
    say: Callable[[str], None],
) -> Progress:
    """Trains `parameters` of `model` in place and leaves the best ones on dev in them.

    Goes on from the newest good checkpoint. Raises Stopped on Ctrl-C or SIGTERM, after saving; NotFinite before a
    non-finite value reaches the weights.
    """
    optimiser = make_adamw(parameters, settings.weight_decay)
    progress = _resume(run, parameters, optimiser, say)
    _cut_metrics(run.metrics, progress.step)
    _cut_metrics(run.timings, progress.step)
    with training_progress(plan.steps, progress.step, say) as report, _stop_signals() as stopping:
        while progress.step < plan.steps and progress.worse < settings.patience:
            started = time.perf_counter()
            line = update(model, parameters, optimiser, objective, rows, plan, settings, world, progress.step)
            progress.step += 1
            seconds = time.perf_counter() - started
            last = progress.step == plan.steps
            if progress.step % plan.evaluate_every == 0 or last:
                line["dev_loss"] = measure(model, objective, dev, plan, world)
                check_dev(progress.step, line["dev_loss"])
                _note(progress, line["dev_loss"])
            append_jsonl(run.metrics, line)
            speed = line["tokens"] / seconds
            append_jsonl(run.timings, {"step": progress.step, "seconds": round(seconds, 4),
                                       "tokens_per_s": round(speed, 1), "memory_mb": peak_memory_mb()})  # fmt: skip
            if "dev_loss" in line or progress.step % plan.save_every == 0 or stopping():
                _save(run, parameters, optimiser, progress)
            dev_text = f", dev {progress.history[-1][1]:.3f}" if progress.history else ""
            report(progress.step, f"loss {line['loss']:.3f}{dev_text}, {speed:.0f} tokens/s")
            if stopping() and not last:
                raise Stopped(
                    f"Stopped after step {progress.step} of {plan.steps}; everything up to it is saved.",
                    where=str(run.path),
                    next_move="run the same command again to go on",
                )
    _take_best(run, parameters, progress)
    return progress


def update(
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    optimiser: torch.optim.AdamW,
    objective: Objective,
    rows: Rows,
    plan: Plan,
    settings: TrainSettings,
    world: World,
    step: int,
) -> dict[str, Any]:
    """One change of the weights, from exactly `rows_per_update` rows. Returns the line of metrics.jsonl."""
    numbers = rows_of_update(step, seed=settings.seed, rows=plan.rows, rows_per_update=plan.rows_per_update)
    mine = numbers[world.rank :: world.size]
    passes = [forest.to(world.device) for forest in objective.passes(rows.take(mine), plan.tokens_per_pass)]
    counts = world.sum(objective.counts(passes))
    sums = dict.fromkeys(counts, 0.0)
    for forest in passes:
        terms = objective.terms(model, forest)
        torch.autograd.backward([terms[name] / counts[name] for name in terms])
        for name, term in terms.items():
            sums[name] += float(term.detach())
    world.sum_gradients(parameters.values())
    losses = {name: total / counts[name] for name, total in world.sum(sums).items()}
    grad_norm = float(nn.utils.clip_grad_norm_(list(parameters.values()), settings.clip))
    check_step(step, losses, grad_norm, [rows.sources[number] for number in numbers])
    rate = rate_at(step, peak=plan.learning_rate, steps=plan.steps,
                   warmup_steps=plan.warmup_steps, schedule=settings.schedule)  # fmt: skip
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    tokens = world.sum({"tokens": sum(forest.tokens for forest in passes)})["tokens"]
    return {"step": step + 1, "loss": sum(losses.values()), "learning_rate": rate, "grad_norm": grad_norm,
            "tokens": int(tokens), "tokens_computed": int(tokens)}  # fmt: skip


@torch.no_grad()
def measure(model: Decoder, objective: Objective, rows: Rows, plan: Plan, world: World) -> float:
    """The objective on rows that are only read: mean loss per counted unit."""
    passes = objective.passes(rows.take(range(len(rows.rendered))), plan.tokens_per_pass)
    counts = objective.counts(passes)
    sums = dict.fromkeys(counts, 0.0)
    for forest in passes:
        for name, term in objective.terms(model, forest.to(world.device)).items():
            sums[name] += float(term)
    return sum(sums[name] / counts[name] for name in sums)


def _note(progress: Progress, dev_loss: float) -> None:
    progress.history.append((progress.step, dev_loss))
    if progress.best_loss is None or dev_loss < progress.best_loss:
        progress.best_loss, progress.best_step, progress.worse = dev_loss, progress.step, 0
    else:
        progress.worse += 1


def _save(
    run: RunFolder, parameters: Mapping[str, nn.Parameter], optimiser: torch.optim.AdamW, progress: Progress
) -> None:
    made = checkpoints.Checkpoint(dict(parameters), optimiser_tensors(optimiser, parameters), vars(progress))
    checkpoints.save_checkpoint(run.checkpoints, progress.step, made)
    checkpoints.forget_all_but(run.checkpoints, {progress.step, progress.best_step or progress.step})


def _resume(
    run: RunFolder,
    parameters: Mapping[str, nn.Parameter],
    optimiser: torch.optim.AdamW,
    say: Callable[[str], None],
) -> Progress:
    found = checkpoints.newest_checkpoint(run.checkpoints, say) if run.checkpoints.is_dir() else None
    if found is None:
        return Progress()
    _fill(parameters, found.weights)
    restore_optimiser(optimiser, parameters, found.optimiser)
    progress = Progress(**{**found.state, "history": [(int(s), float(v)) for s, v in found.state["history"]]})
    best = progress.best_step
    if best and (name := checkpoints.bad_file(checkpoints.step_folder(run.checkpoints, best))):
        say(f"the best checkpoint, {best:06d}, is damaged ({name}); {progress.step:06d} takes its place")
        progress.best_step, progress.best_loss = progress.step, dict(progress.history).get(progress.step)
    say(f"going on after step {progress.step}")
    return progress


def _take_best(run: RunFolder, parameters: Mapping[str, nn.Parameter], progress: Progress) -> None:
    best = checkpoints.read_checkpoint(checkpoints.step_folder(run.checkpoints, progress.best_step))
    _fill(parameters, best.weights)


@torch.no_grad()
def _fill(parameters: Mapping[str, nn.Parameter], tensors: Mapping[str, Tensor]) -> None:
    for name, parameter in parameters.items():
        parameter.copy_(tensors[name])


def _cut_metrics(path: Path, step: int) -> None:
    """Drops the lines of steps that the checkpoint does not know of: they will be done again."""
    if path.exists():
        kept = [line for line in path.read_text("utf-8").split("\n") if line and _step_of(line) <= step]
        write_bytes(path, "".join(line + "\n" for line in kept).encode("utf-8"))


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError):  # a line that a crash cut short
        return float("inf")


def peak_memory_mb() -> int:
    """Largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 2**20 if sys.platform == "darwin" else peak // 1024


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM ask the loop to save and stop; a second one stops at once."""
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: somebody else's program owns the signals
        before = {}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
