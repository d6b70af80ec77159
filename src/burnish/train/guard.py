"""Nothing that is not finite reaches the weights, nothing is averaged away, and nothing trains in vain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from burnish.core.errors import BurnishError, DataError, ModelError, RecipeError
from burnish.render.renderer import Rendered

SKIPS_IN_A_ROW = 3  # with `on_nan: skip`; more of them are no accident of a few rows


class NotFinite(BurnishError):  # noqa: N818 - named after what was seen
    """The loss or the gradient is NaN or infinite. No weights were saved after it."""


def not_finite(terms: Mapping[str, float], grad_norm: float) -> tuple[str, float] | None:
    """Name and value of the first of an update's numbers that is NaN or infinite."""
    named = {f"loss ({name})" if len(terms) > 1 else "loss": value for name, value in terms.items()}
    values = {**named, "gradient": grad_norm}
    return next(((name, value) for name, value in values.items() if not math.isfinite(value)), None)


def refuse_step(step: int, bad: tuple[str, float], sources: Sequence[str]) -> NotFinite:
    """The error for update `step` (from 0), whose change of the weights was not made."""
    more = f" and {len(sources) - 8} more" if len(sources) > 8 else ""
    return NotFinite(
        f"The {bad[0]} is not finite at step {step + 1}; the weights are unchanged.",
        where="rows " + ", ".join(sources[:8]) + more,
        seen=str(bad[1]),
        next_move="look at these rows, lower train.learning_rate, or leave such updates out with train.on_nan=skip",
    )


def refuse_skips(step: int, sources: Sequence[str]) -> NotFinite:
    """The error when update after update had to be left out."""
    return NotFinite(
        f"{SKIPS_IN_A_ROW + 1} updates in a row were not finite, the last at step {step + 1}.",
        where="rows " + ", ".join(sources[:8]),
        next_move="lower train.learning_rate, or look at these rows",
    )


def check_dev(step: int, loss: float) -> None:
    """Raises NotFinite: the weights of this step give no finite loss on dev, and are not saved."""
    if not math.isfinite(loss):
        raise NotFinite(
            f"The loss on dev is not finite after step {step}.",
            seen=str(loss),
            next_move="lower train.learning_rate",
        )


def check_changed(step: int, parameters: Mapping[str, nn.Parameter]) -> None:
    """Raises NotFinite: the change at `step` (from 0) took a weight beyond what a float can hold. It is not saved."""
    if name := first_not_finite(parameters):
        raise NotFinite(
            f"`{name}` is not finite after step {step + 1}; this step is not saved.",
            next_move="lower train.learning_rate; the same command goes on from the last checkpoint",
        )


def first_not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of the first tensor that holds NaN or infinity."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            continue
        # A norm needs no copy of the tensor; only where it overflows is every number looked at.
        norm = torch.linalg.vector_norm(tensor.detach(), dtype=torch.promote_types(tensor.dtype, torch.float32))
        if not math.isfinite(float(norm)) and not bool(torch.isfinite(tensor).all()):
            return name
    return None


def check_model(model: nn.Module, parameters: Mapping[str, nn.Parameter]) -> None:
    """Before step 1. Raises RecipeError: nothing trains, or in too few bits; ModelError: a weight is not finite."""
    if not sum(parameter.numel() for parameter in parameters.values()):
        raise RecipeError("Nothing would train with these settings.", where="adapt", next_move="check `adapt.targets`")
    for name, parameter in parameters.items():
        if parameter.dtype not in (torch.float32, torch.float64):
            raise RecipeError(
                "What trains must be float32: in fewer bits small changes round to nothing.",
                where=name,
                seen=str(parameter.dtype).removeprefix("torch."),
                next_move="keep the base in bf16 with model.dtype, and what trains in float32",
            )
    if bad := first_not_finite(dict(model.named_parameters())):
        raise ModelError(
            "The model's weights are not finite before training.",
            where=bad,
            next_move="get the model again; this copy is damaged",
        )


def check_some(rows: int, dev: int) -> None:
    """Raises DataError: no rows at all to learn from or to watch."""
    if not rows or not dev:
        raise DataError(
            f"There are no rows to {'learn from' if not rows else 'watch training on (dev)'}.",
            next_move="give more rows, or see data/dropped.jsonl in the run's folder for why they were left out",
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
