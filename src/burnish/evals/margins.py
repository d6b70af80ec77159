"""How much may be lost and still count as kept. Stated before the test, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from burnish.core.errors import RecipeError


@dataclass(frozen=True)
class Margin:
    """A tolerated loss in the metric's unit."""

    size: float
    reason: str


# A nat of logprob_margin is a nat of log-odds of the right choice against all others together. Taking 0.5 nats from
# every right choice of the shipped suite costs SmolLM2-135M-Instruct 1.9 points of accuracy (92.2 % before).
DEFAULT_MARGINS = {
    "logprob_margin": Margin(0.5, "0.5 nats off every right choice cost a small model about 2 of 100 such questions"),
    "correct": Margin(0.05, "5 of 100 questions"),
    "followed": Margin(0.05, "5 of 100 instructions"),
    "loss": Margin(0.10, "0.10 nats per token make ordinary text about 10 % harder to predict (perplexity × 1.105)"),
}


def margin_for(suite: str, metric: str, stated: float | None) -> Margin:
    """The margin that the plan states, else the default of the metric. Raises RecipeError: there is neither."""
    default = DEFAULT_MARGINS.get(metric)
    if stated is not None and (default is None or stated != default.size):
        return Margin(stated, "set in the recipe")
    if default is None:
        raise RecipeError(
            f"The metric `{metric}` has no default margin.",
            where=f"suite {suite}",
            next_move="state `margin` for it in the recipe",
        )
    return default
