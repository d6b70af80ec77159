"""How much may be lost and still count as kept. Stated before the test, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from burnish.core.errors import RecipeError


@dataclass(frozen=True)
class Margin:
    """A tolerated loss in the metric's unit."""

    size: float
    reason: str


# The unit of logprob_margin is a nat of log-odds of the right choice against all others together. Answers near the
# decision are lost at a rate of density(0)·shift: with margins spread over 2 to 3 nats, 0.15 nats are 2 to 3 points.
DEFAULT_MARGINS = {
    "logprob_margin": Margin(0.15, "a drop of 0.15 nats costs about 2 to 3 points of accuracy on such choices"),
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
