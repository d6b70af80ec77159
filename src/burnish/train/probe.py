"""`learning_rate: probe`: five short trainings around the rule's rate; the one with the lowest loss on dev wins.

Each takes the first updates of the real training, with the whole schedule squeezed into them, from the same start. A
short training likes higher rates than a long one, so where two are alike the lower one is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from burnish.core.files import read_json, write_json
from burnish.core.run_folder import RunFolder
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.train.guard import NotFinite
from burnish.train.loop import measure, update
from burnish.train.optimiser import AdamW, forget_gradients
from burnish.train.rules import Plan
from burnish.train.settings import TrainSettings
from burnish.train.trial import try_largest_pass
from burnish.train.work import NO_GUARDS, Draw, Guards, Objective, Row, Rows, as_they_are

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the rule's rate
SHARE = 5  # a probe has one update for so many of the training: all five together cost about as much as it
FEWEST, MOST = 20, 200  # updates of a probe
ALIKE = 0.005  # losses this close, relatively, are not told apart by a few dozen dev rows


@dataclass(frozen=True)
class Probe:
    """A rate that was tried: nats per counted unit on dev, None where training did not stay finite."""

    rate: float
    dev_loss: float | None


def probe_rates(
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
) -> list[Probe]:
    """Tries each rate and leaves the parameters as they were. What was tried before an interruption is not tried again.
    `rates`: by name, what some parameters multiply the learning rate with.

    Raises BurnishError: the memory is not enough for the largest pass.
    """
    tried = _read(run)
    world.barrier()  # all ranks have read before rank 0 writes
    if len(tried) == len(FACTORS):
        return tried
    start = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    short = _short(plan)
    optimiser = AdamW(parameters, settings.weight_decay, rates or {})
    try_largest_pass(model, parameters, optimiser, objective, rows, short, world, guards)
    say(f"probing {len(FACTORS)} learning rates with {short.steps} updates each")
    for factor in FACTORS[len(tried) :]:
        rate = float(f"{plan.learning_rate * factor:.3g}")
        optimiser = AdamW(parameters, settings.weight_decay, rates or {})
        at_rate = replace(short, learning_rate=rate)
        loss = _dev_loss(model, parameters, optimiser, objective, rows, dev, at_rate, settings, world, guards, draw)
        tried.append(Probe(rate, loss))
        if world.rank == 0:
            write_json(run.probe, [vars(probe) for probe in tried])
        say(f"  rate {rate:.2g}: " + ("diverged" if loss is None else f"dev {loss:.3f}"))
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(start[name])
    return tried


def chosen_rate(tried: list[Probe], rule: float) -> float:
    """The lowest rate whose loss is as good as the best; the rule's own where none stayed finite."""
    finite = [probe for probe in tried if probe.dev_loss is not None]
    if not finite:
        return rule
    lowest = min(loss for probe in finite if (loss := probe.dev_loss) is not None)
    return min(probe.rate for probe in finite if (probe.dev_loss or 0.0) <= lowest * (1 + ALIKE))


def _short(plan: Plan) -> Plan:
    steps = min(plan.steps, MOST, max(FEWEST, plan.steps // SHARE))
    return replace(plan, steps=steps, warmup_steps=math.ceil(plan.warmup_steps * steps / plan.steps))


def _dev_loss(
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    optimiser: AdamW,
    objective: Objective[Row],
    rows: Rows[Row],
    dev: Rows[Row],
    plan: Plan,
    settings: TrainSettings,
    world: World,
    guards: Guards,
    draw: Draw,
) -> float | None:
    stopping = settings.model_copy(update={"on_nan": "stop"})
    try:
        for step in range(plan.steps):
            update(model, parameters, optimiser, objective, rows, plan, stopping, world, step, guards, draw)
    except NotFinite:
        return None
    finally:
        forget_gradients(parameters)
    loss = measure(model, objective, dev, plan, world)
    return loss if math.isfinite(loss) else None


def _read(run: RunFolder) -> list[Probe]:
    return [Probe(**probe) for probe in read_json(run.probe)] if run.probe.is_file() else []
