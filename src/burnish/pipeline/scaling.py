"""After training: which checkpoint is kept and at which scale of its update, by dev and by general text set aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

from burnish.adapt import methods
from burnish.adapt.between import between
from burnish.evals.set_aside import general_loss, passages
from burnish.model.decoder import Decoder
from burnish.pipeline.lesson import Lesson
from burnish.pipeline.workshop import Workshop
from burnish.train.checkpoint import bad_file, read_weights, step_folder, steps_in
from burnish.train.choice import SCALES, Point, best_within, scale_at_limit
from burnish.train.loop import Objective, Progress, measure
from burnish.train.rules import Plan
from burnish.train.saving import fill

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Scales:
    """What is needed to look at one scale of one checkpoint."""

    shop: Workshop
    decoder: Decoder
    parameters: Mapping[str, nn.Parameter]
    start: Mapping[str, Tensor]
    objective: Objective[Any]
    lesson: Lesson
    plan: Plan

    def take(self, end: Mapping[str, Tensor], scale: float) -> None:
        """Puts these weights into the network."""
        fill(self.parameters, between(self.start, end, scale))

    def general(self) -> float:
        """Loss of general text in nats a token, over all ranks."""
        world = self.shop.world
        mine = passages()[world.rank :: world.size]
        nats, tokens = general_loss(self.decoder, self.shop.renderer, mine)
        sums = world.sum({"nats": nats, "tokens": tokens})
        return sums["nats"] / max(sums["tokens"], 1)

    def dev(self) -> float:
        return measure(self.decoder, self.objective, self.lesson.dev, self.plan, self.shop.world)

    def point(self, end: Mapping[str, Tensor], step: int, scale: float, before: float) -> Point:
        """`before`: the base's loss of general text."""
        self.take(end, scale)
        return Point(step, scale, self.dev(), self.general() - before)


def beginning(shop: Workshop, decoder: Decoder) -> dict[str, Tensor]:
    """What stands beside the base, copied before it trains. Whole weights are not: the base has them still."""
    if shop.recipe.protect.choice is None:
        return {}
    return {name: parameter.detach().clone() for name, parameter in methods.beside(decoder).items()}


def choose_scale(
    shop: Workshop,
    decoder: Decoder,
    parameters: Mapping[str, nn.Parameter],
    start: Mapping[str, Tensor],
    objective: Objective[Any],
    lesson: Lesson,
    plan: Plan,
    progress: Progress,
    say: Say,
) -> dict[str, Any] | None:
    """Leaves the chosen weights in the network; all that was looked at, for training.json. None where the recipe asks
    for nothing: then the best checkpoint stays as it is.

    `start` is what `beginning` gave. Each candidate costs one reading of dev and of some 2,700 tokens of general text:
    up to three checkpoints at four scales and the base, and one scale more for each that passes the limit.
    """
    wanted, limit = shop.recipe.protect.choice, shop.recipe.protect.forget_limit
    if wanted is None:
        return None
    begun = {**_of_base(shop, set(parameters) - set(start)), **start}
    look = _Scales(shop, decoder, parameters, begun, objective, lesson, plan)
    checkpoints = shop.run.checkpoints
    good = [step for step in steps_in(checkpoints) if bad_file(step_folder(checkpoints, step)) is None]
    steps = good if wanted == "auto" else [progress.best_step]
    say(f"looking at {len(steps)} checkpoints at several scales of their update" if wanted == "auto"
        else f"taking {wanted:g} of the update")  # fmt: skip
    first = read_weights(step_folder(checkpoints, steps[0]))
    look.take(first, 0.0)
    with methods.switched_off(decoder):  # virtual tokens are there at scale 0 too, and the base does not read them
        before = look.general()
    points: list[Point] = []

    def see(end: Mapping[str, Tensor], step: int, scale: float) -> None:
        points.append(look.point(end, step, scale, before))
        say(f"  step {step}, scale {scale:g}: dev {points[-1].dev_loss:.3f}, general {points[-1].forgetting:+.3f}")

    see(first, steps[0], 0.0)
    for step in steps:
        end = read_weights(step_folder(checkpoints, step))
        for scale in SCALES if wanted == "auto" else (wanted,):
            see(end, step, scale)
        if wanted == "auto" and (at_limit := scale_at_limit(points, step, limit)) is not None:
            see(end, step, at_limit)
    chosen = best_within(points, limit) if wanted == "auto" else points[-1]
    chosen = chosen or min(points, key=lambda point: point.forgetting)
    look.take(read_weights(step_folder(checkpoints, chosen.step)), chosen.scale)
    say(_told(chosen, points, limit, wanted == "auto"))
    return {"limit": limit, "general_loss_before": before, "step": chosen.step, "scale": chosen.scale,
            "points": [asdict(point) for point in points]}  # fmt: skip


def _of_base(shop: Workshop, names: set[str]) -> dict[str, Tensor]:
    """The base's own weights of these names."""
    return {name: one for name, one in shop.base_decoder().named_parameters() if name in names} if names else {}


def _told(chosen: Point, points: list[Point], limit: float, choice: bool) -> str:
    text = (
        f"kept: {chosen.scale:g} of the update of step {chosen.step}, dev {chosen.dev_loss:.3f}, general text "
        f"{chosen.forgetting:+.3f} nats a token"
    )
    if not choice:
        return text
    if chosen.scale == 0:
        return (f"{text}. Nothing of the training is kept: no scale that was looked at is better on dev and forgets "
                f"less than protect.forget_limit, {limit:g}")  # fmt: skip
    best = min(points, key=lambda point: point.dev_loss)
    if best == chosen:
        return f"{text} (within the limit of {limit:g})"
    return (f"{text} (limit {limit:g}); beyond it, {best.scale:g} of step {best.step} has dev {best.dev_loss:.3f} and "
            f"{best.forgetting:+.3f}")  # fmt: skip
