"""The one loop. It does not know the objective, and no method: it sees forests, sums and named parameters."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from burnish.core.errors import Stopped
from burnish.core.events import record_event
from burnish.core.files import append_jsonl, check_room
from burnish.core.hardware import peak_memory_mb, return_free_memory
from burnish.core.run_folder import RunFolder
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.train.agreement import check_same_start, check_same_weights
from burnish.train.checkpoint import forget_half_written, room_needed
from burnish.train.culprits import find_culprits
from burnish.train.guard import (
    SKIPS_IN_A_ROW,
    check_changed,
    check_dev,
    check_model,
    check_some,
    not_finite,
    refuse_skips,
    refuse_step,
)
from burnish.train.guarding import guard_gradients
from burnish.train.optimiser import AdamW, forget_gradients
from burnish.train.order import rows_of_update
from burnish.train.progress import training_progress
from burnish.train.rules import Plan
from burnish.train.saving import LONGEST_UNSAVED, cut_lines, resume, save, take_best
from burnish.train.schedule import rate_at
from burnish.train.settings import TrainSettings
from burnish.train.signals import stop_signals
from burnish.train.trial import try_largest_pass
from burnish.train.work import NO_GUARDS, Draw, Guards, Objective, Progress, Row, Rows, as_they_are

__all__ = ["Objective", "Progress", "Rows", "measure", "train", "update"]

Line = dict[str, Any]  # of metrics.jsonl


def train(
    run: RunFolder,
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    objective: Objective[Row],
    rows: Rows[Row],
    dev: Rows[Row],
    plan: Plan,
    settings: TrainSettings,
    world: World,
    say: Callable[[str], None],
    rates: Mapping[str, float] | None = None,
    guards: Guards = NO_GUARDS,
    draw: Draw = as_they_are,
) -> Progress:
    """Trains `parameters` of `model` in place and leaves the best ones on dev in them. Rank 0 alone writes.

    Goes on from the newest good checkpoint. `rates`: factors of the rate, by name. Raises Stopped on Ctrl-C, SIGTERM
    (after saving) or a full disk; NotFinite before such a value is learnt; BurnishError when memory is too small.
    """
    check_some(len(rows.rendered), len(dev.rendered))
    check_model(model, parameters)
    optimiser = AdamW(parameters, settings.weight_decay, rates or {})
    progress = resume(run, parameters, optimiser, say)
    check_same_start(world, model, parameters, rows, plan, progress)
    writes = world.rank == 0
    if writes:
        _tidy(run, progress.step)
    if _goes_on(progress, plan, settings):
        check_room(run.checkpoints, room_needed([*parameters.values()] * 3))  # the weights and two moments
        try_largest_pass(model, parameters, optimiser, objective, rows, plan, world, guards)
    shown = training_progress(plan.steps, progress.step, say) if writes else nullcontext(lambda step, text: None)
    with shown as report, stop_signals() as stopping:
        saved = time.monotonic()
        while _goes_on(progress, plan, settings):
            started = time.perf_counter()
            line = update(model, parameters, optimiser, objective, rows, plan, settings, world, progress.step,
                          guards, draw)  # fmt: skip
            seconds = time.perf_counter() - started
            progress.step += 1
            _count_skips(run, progress, line, world)
            if progress.step % plan.evaluate_every == 0 or progress.step == plan.steps:
                line |= _watch(model, parameters, objective, dev, plan, world, progress)
            stop = world.any(stopping())
            if writes:
                _write_lines(run, line, seconds)
                overdue = settings.save_every == "auto" and time.monotonic() - saved >= LONGEST_UNSAVED
                if "dev_loss" in line or progress.step % plan.save_every == 0 or stop or overdue:
                    save(run, parameters, optimiser, progress)
                    saved = time.monotonic()
            report(progress.step, _summary(line, progress, seconds))
            if stop:
                world.barrier()  # rank 0 has saved
                raise _stopped(run, progress, plan)
    world.barrier()
    take_best(run, parameters, progress)
    return progress


def _stopped(run: RunFolder, progress: Progress, plan: Plan) -> Stopped:
    return Stopped(
        f"Stopped after step {progress.step} of {plan.steps}; everything up to it is saved.",
        where=str(run.path),
        next_move="run the same command again to go on",
    )


def update(
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    optimiser: AdamW,
    objective: Objective[Row],
    rows: Rows[Row],
    plan: Plan,
    settings: TrainSettings,
    world: World,
    step: int,
    guards: Guards = NO_GUARDS,
    draw: Draw = as_they_are,
) -> Line:
    """One change of the weights, from exactly `rows_per_update` rows. Returns the line of metrics.jsonl, in which
    `loss` is the objective's, and each guard's mean stands beside it.

    Where a loss or the gradient is not finite nothing changes: with `on_nan: stop` NotFinite is raised, with `skip` the
    line says `skipped`, names the rows and has null for the numbers that there are not.
    """
    numbers = rows_of_update(step, seed=settings.seed, rows=plan.rows,
                             rows_per_update=plan.rows_per_update, in_order=plan.in_order)  # fmt: skip
    mine = numbers[world.rank :: world.size]
    learnt = draw(step, rows.take(mine))
    model.step = step
    passes = [forest.to(world.device) for forest in objective.passes(learnt, plan.tokens_per_pass)]
    values, suspicious = _gradients(model, objective, passes, world)
    losses = {name: value for name, value in values.items() if _is_learnt(name)}
    held = guard_gradients(model, guards, step, plan.tokens_per_pass, world)
    world.sum_gradients(parameters.values())
    grad_norm = float(nn.utils.clip_grad_norm_(list(parameters.values()), settings.clip))
    rate = rate_at(step, peak=plan.learning_rate, steps=plan.steps,
                   warmup_steps=plan.warmup_steps, schedule=settings.schedule)  # fmt: skip
    tokens = world.sum({"tokens": sum(forest.row_tokens for forest in passes),
                        "tokens_computed": sum(forest.tokens for forest in passes) + held.tokens})  # fmt: skip
    line = {"step": step + 1, "loss": _or_null(_loss(values)), "learning_rate": rate,
            "grad_norm": _or_null(grad_norm), **{name: int(count) for name, count in tokens.items()}}  # fmt: skip
    line |= _watched(values)
    line |= {name: _or_null(value) for name, value in held.means.items()}
    # The same on all ranks, since all of it was summed over them.
    if bad := not_finite({**losses, **held.means}, grad_norm):
        guilty = find_culprits(model, parameters, objective, rows, numbers, suspicious, plan.tokens_per_pass, world)
        of_guards = [f"of protect.{name}" for name, value in held.means.items() if not math.isfinite(value)]
        sources = of_guards or [rows.sources[number] for number in guilty]
        if settings.on_nan == "stop":
            raise refuse_step(step, bad, sources)
        return {**line, "skipped": True, "rows": sources}
    optimiser.step(rate)
    forget_gradients(parameters)
    check_changed(step, parameters)
    return line


def _gradients(
    model: Decoder, objective: Objective[Row], passes: Sequence[Forest], world: World
) -> tuple[dict[str, float], bool]:
    """Fills this rank's gradients. Returns the means over all ranks, and whether a sum of this one was not finite."""
    counts = world.sum(objective.counts(passes))
    sums = dict.fromkeys(counts, 0.0)
    for forest in passes:
        terms = objective.terms(model, forest)
        torch.autograd.backward([terms[name] / counts[name] for name in terms if _is_learnt(name)])
        for name, term in terms.items():
            sums[name] += float(term.detach())
        if model.recompute:
            return_free_memory()  # the next pass asks for other sizes, and would take new memory beside the old
    means = {name: total / counts[name] for name, total in world.sum(sums).items()}
    return means, not all(map(math.isfinite, sums.values()))


def _is_learnt(name: str) -> bool:
    """Whether a term is part of the loss, or only reported."""
    return "/" not in name


@torch.no_grad()
def measured(model: Decoder, objective: Objective[Row], rows: Rows[Row], plan: Plan, world: World) -> dict[str, float]:
    """The mean of each term on rows that are only read. The ranks share the rows."""
    mine = range(world.rank, len(rows.rendered), world.size)
    passes = objective.passes(rows.take(mine), plan.tokens_per_pass)
    counts = world.sum(objective.counts(passes))
    sums = dict.fromkeys(counts, 0.0)
    for forest in passes:
        for name, term in objective.terms(model, forest.to(world.device)).items():
            sums[name] += float(term)
    return {name: total / counts[name] for name, total in world.sum(sums).items()}


def measure(model: Decoder, objective: Objective[Row], rows: Rows[Row], plan: Plan, world: World) -> float:
    """The objective on rows that are only read: mean loss per counted unit."""
    return _loss(measured(model, objective, rows, plan, world))


def _loss(means: Mapping[str, float]) -> float:
    return sum(mean for name, mean in means.items() if _is_learnt(name))


def _watched(means: Mapping[str, float]) -> dict[str, float | None]:
    """What is only reported, under its own name: that of `pair/margin` is `margin`."""
    return {name.split("/")[1]: _or_null(mean) for name, mean in means.items() if not _is_learnt(name)}


def _tidy(run: RunFolder, step: int) -> None:
    """Removes what an earlier attempt wrote after the step from which this one goes on."""
    forget_half_written(run.checkpoints)
    cut_lines(run.metrics, step)
    cut_lines(run.timings, step)


def _goes_on(progress: Progress, plan: Plan, settings: TrainSettings) -> bool:
    return progress.step < plan.steps and progress.worse < settings.patience


def _watch(
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    objective: Objective[Row],
    dev: Rows[Row],
    plan: Plan,
    world: World,
    progress: Progress,
) -> Line:
    """`dev_loss`, and what is reported beside it."""
    check_same_weights(world, parameters)
    means = measured(model, objective, dev, plan, world)
    loss = _loss(means)
    check_dev(progress.step, loss)
    progress.note(loss)
    return {"dev_loss": loss, **{f"dev_{name}": value for name, value in _watched(means).items()}}


def _count_skips(run: RunFolder, progress: Progress, line: Line, world: World) -> None:
    if "skipped" not in line:
        progress.skipped = 0
        return
    progress.skipped += 1
    if world.rank == 0:
        record_event(run.events, "update skipped: not finite", step=progress.step, rows=line["rows"])
    if progress.skipped > SKIPS_IN_A_ROW:
        raise refuse_skips(progress.step - 1, line["rows"])


def _write_lines(run: RunFolder, line: Line, seconds: float) -> None:
    append_jsonl(run.metrics, line)
    append_jsonl(run.timings, {"step": line["step"], "seconds": round(seconds, 4),
                               "tokens_per_s": round(line["tokens"] / seconds, 1),
                               "memory_mb": peak_memory_mb()})  # fmt: skip


def _summary(line: Line, progress: Progress, seconds: float) -> str:
    """The step for a person: 'loss 1.234, dev 1.301, 512 tokens/s'."""
    loss = "left out: not finite" if "skipped" in line else f"loss {line['loss']:.3f}"
    dev = f", dev {progress.history[-1][1]:.3f}" if progress.history else ""
    return f"{loss}{dev}, {line['tokens'] / seconds:.0f} tokens/s"


def _or_null(value: float) -> float | None:
    """JSON has no NaN: null says that there is no such number."""
    return value if math.isfinite(value) else None
