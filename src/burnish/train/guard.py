"""Nothing that is not finite reaches the weights, and nothing is averaged away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from burnish.core.errors import BurnishError, DataError
from burnish.render.renderer import Rendered


class NotFinite(BurnishError):  # noqa: N818 - named after what was seen
    """The loss or the gradient is NaN or infinite. No weights were saved after it."""


def check_step(step: int, terms: Mapping[str, float], grad_norm: float, sources: Sequence[str]) -> None:
    """Raises NotFinite with the step and the rows, before the optimiser is called."""
    for name, value in {**terms, "gradient norm": grad_norm}.items():
        if not math.isfinite(value):
            raise NotFinite(
                f"The {name} is not finite at step {step + 1}; the weights are unchanged.",
                where="rows " + ", ".join(sources[:8]),
                seen=str(value),
                next_move="look at these rows, or lower train.learning_rate",
            )


def check_dev(step: int, loss: float) -> None:
    """Raises NotFinite: the weights of this step give no finite loss on dev, and are not saved."""
    if not math.isfinite(loss):
        raise NotFinite(
            f"The loss on dev is not finite after step {step}.",
            seen=str(loss),
            next_move="lower train.learning_rate",
        )


def check_rows(rows: Sequence[Rendered], sources: Sequence[str]) -> None:
    """Raises DataError: a row has nothing to learn, and would train nothing while looking healthy."""
    empty = [source for row, source in zip(rows, sources, strict=True) if not row.trained]
    if empty:
        raise DataError(
            f"{len(empty)} of {len(rows)} rows have no token to learn.",
            where=", ".join(empty[:5]),
            next_move="look at one with `burnish show`; the chat template may rewrite its answers",
        )
