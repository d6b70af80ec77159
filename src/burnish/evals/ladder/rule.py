"""Which rung to take: a rule that is written down, so that nobody has to be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from burnish.evals.ladder.records import Rung
from burnish.evals.wording import difference_text

RULE = (
    "Taken is the rung with the largest gain among those whose forgetting is shown to be within the limit (the upper "
    "bound of its interval is) and whose memory check does not say FORGOTTEN. Where none is shown to be, those count "
    "whose forgetting was measured within the limit; where none was, the rung that forgets least. Of rungs with equal "
    "gains the one that forgets less is taken."
)


def with_front(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """The rungs with `front` set: on the Pareto front of more gain and less forgetting."""
    return tuple(replace(one, front=not any(_beats(other, one) for other in rungs)) for one in rungs)


def _beats(one: Rung, other: Rung) -> bool:
    as_good = one.gain >= other.gain and one.forgetting <= other.forgetting
    return as_good and (one.gain > other.gain or one.forgetting < other.forgetting)


def recommend(rungs: Sequence[Rung], limit: float, metric: str, opponent: str) -> tuple[str, str]:
    """The name of a rung and the recommendation in a sentence, by `RULE`. There is at least one rung."""
    kept = [one for one in rungs if one.memory != "FORGOTTEN"]
    shown = [one for one in kept if one.most <= limit]
    measured = [one for one in kept if one.forgetting <= limit]
    candidates = shown or measured
    if candidates:
        chosen = min(candidates, key=lambda one: (-one.gain, one.forgetting))
        how = "shown to be" if shown else "measured, though not shown to be,"
        end = f"{how} within the limit of {limit:g}"
    else:
        chosen = min(rungs, key=lambda one: (one.forgetting, -one.gain))
        end = f"which is the least of all, though not within the limit of {limit:g}"
    low, high = (difference_text(metric, bound, unit=False) for bound in (chosen.low, chosen.high))
    sentence = (
        f"Take `{chosen.name}`: it gains {difference_text(metric, chosen.gain)} ({low} to {high}) on {opponent}, and "
        f"its loss on general text changes by {difference_text('loss', chosen.forgetting)}, {end}."
    )
    if chosen.low <= 0:
        sentence += " Its gain is not shown to be above zero."
    return chosen.name, sentence + _not_worse(chosen, candidates, metric)


def _not_worse(chosen: Rung, candidates: Sequence[Rung], metric: str) -> str:
    """Names the runners-up whose gain lies inside the chosen one's interval."""
    near = [one for one in candidates if one.name != chosen.name and one.gain >= chosen.low]
    near.sort(key=lambda one: one.forgetting)
    if not near or chosen.low <= 0:
        return ""
    named = ", ".join(f"`{one.name}` ({difference_text(metric, one.gain, unit=False)})" for one in near[:4])
    return f" So many rows cannot tell its gain from that of {named}."
