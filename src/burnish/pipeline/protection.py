"""The guards against forgetting that a recipe asks for, made ready for a decoder that has not been trained yet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from burnish.adapt import methods
from burnish.adapt.settings import LoRASettings
from burnish.core.errors import DataError
from burnish.core.records import Chat, Text
from burnish.data.others import read_other
from burnish.guards.general import general_rows
from burnish.guards.kl import KL, remember
from burnish.guards.replay import Replay
from burnish.guards.schedule import Schedule
from burnish.guards.settings import ReplaySettings, Rungs
from burnish.model.decoder import Decoder
from burnish.objectives.sft import SFT
from burnish.pipeline.distances import check_distances, make_penalties
from burnish.pipeline.own_answers import own_answers
from burnish.pipeline.workshop import Workshop
from burnish.render.batch import render_rows
from burnish.render.renderer import Rendered
from burnish.train.rules import Plan
from burnish.train.work import NO_GUARDS, Guards, Rehearsal

Say = Callable[[str], None]


def make_guards(shop: Workshop, decoder: Decoder, plan: Plan, say: Say) -> Guards:
    """The guards of `protect` for a decoder at its start, and what each keeps in memory, said aloud.

    Raises RecipeError: a guard measures what this method does not change; DataError: a file of rows is of no use.
    """
    rungs = shop.recipe.protect.rungs
    if not rungs.names:
        return NO_GUARDS
    check_distances(shop.recipe)
    say(f"protect: {', '.join(rungs.names)}" + _targets(shop))
    own = _own(shop, decoder, rungs, plan, say)
    penalties = make_penalties(rungs, shop.recipe.adapt, decoder, own, plan.tokens_per_pass, say)
    return Guards(_rehearsals(shop, decoder, rungs, own, plan, say), penalties)


def _targets(shop: Workshop) -> str:
    adapt, level = shop.recipe.adapt, shop.recipe.protect.level
    told = level != "none" and isinstance(adapt, LoRASettings) and adapt.targets == "mlp"
    return f" (level {level}), LoRA on the MLP matrices" if told else ""


def _own(shop: Workshop, decoder: Decoder, rungs: Rungs, plan: Plan, say: Say) -> list[Rendered]:
    """General prompts with the model's own answers: as many as the guards will look at, in an order of the seed."""
    shares = [rung.share for rung in (rungs.self_replay, rungs.kl) if rung is not None]
    wanted = max(math.ceil(plan.steps * plan.rows_per_update * share) for share in [*shares, 0])
    wanted = max(wanted, rungs.ewc.rows if rungs.ewc else 0)
    if not wanted:
        return []
    rows = general_rows()
    order = np.random.Generator(np.random.Philox(key=[shop.recipe.train.seed, 0])).permutation(len(rows))
    if own := own_answers(shop, decoder, [rows[int(at)] for at in order[:wanted]], say):
        return own
    raise DataError(
        "The model answers nothing to general prompts, so there is nothing to hold it to.",
        where="protect",
        seen=f"{min(wanted, len(rows))} empty answers",
        next_move="use protect.replay, which brings its own answers",
    )


def _rehearsals(
    shop: Workshop, decoder: Decoder, rungs: Rungs, own: Sequence[Rendered], plan: Plan, say: Say
) -> list[Rehearsal]:
    def schedule(rows: Sequence[Rendered], share: float) -> Schedule:
        return Schedule(len(rows), share * plan.rows_per_update, shop.recipe.train.seed)

    guards: list[Rehearsal] = []
    if (replay := rungs.replay) is not None:
        old = _given(shop, replay, say)
        guards.append(Replay("replay", replay.weight, old, schedule(old, replay.share), SFT()))
    if (again := rungs.self_replay) is not None:
        guards.append(Replay("self_replay", again.weight, own, schedule(own, again.share), SFT()))
    if (kl := rungs.kl) is not None:
        with methods.switched_off(decoder) as base:
            before = remember(base, own, SFT().passes, plan.tokens_per_pass)
        say(f"protect.kl keeps {before.bytes / 2**20:,.0f} MiB of what the model said before training")
        guards.append(KL(kl.weight, own, schedule(own, kl.share), SFT().passes, before))
    return guards


def _given(shop: Workshop, settings: ReplaySettings, say: Say) -> list[Rendered]:
    """Rows with the answers that stand in them, those that fit the model's context."""
    rows = general_rows() if settings.file is None else read_other(settings.file, shop.base, say)
    found = render_rows(shop.renderer, [row for row in rows if isinstance(row, Chat | Text)])
    fit = [row for row in found if isinstance(row, Rendered) and row.trained and len(row.ids) <= shop.context]
    if not fit:
        raise DataError(
            "No row of `protect.replay.file` can be learnt.",
            where=settings.file or "",
            seen=f"{len(rows)} rows, none a conversation or text that fits the model's context",
            next_move="name a file of conversations or texts, or leave `file` out",
        )
    if settings.file is not None and len(fit) < len(rows):
        say(f"protect.replay: {len(rows) - len(fit)} of {len(rows)} rows are too long, or no conversation or text")
    return fit
