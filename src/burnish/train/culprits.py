"""Which rows made an update's loss or gradient NaN or infinite: found by computing each of them alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.train.guard import first_not_finite
from burnish.train.optimiser import forget_gradients
from burnish.train.work import Objective, Row, Rows


def find_culprits(
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    objective: Objective[Row],
    rows: Rows[Row],
    numbers: Sequence[int],
    suspicious: bool,
    tokens_per_pass: int,
    world: World,
) -> list[int]:
    """Those of `numbers`, the rows of all ranks, that are not finite when each is computed alone.

    Where no row alone is guilty it is all rows of the ranks that are `suspicious`, having seen a sum that was not
    finite, and where there is no such rank, all rows of the update. Leaves no gradient behind.
    """
    forget_gradients(parameters)
    mine = numbers[world.rank :: world.size]
    guilty = [
        number
        for number in dict.fromkeys(mine)
        if not _is_finite(model, parameters, objective, rows, number, tokens_per_pass)
    ]
    found = guilty or (mine if suspicious else [])
    everywhere = {row for text in world.gather(json.dumps(found)) for row in json.loads(text)}
    return [number for number in dict.fromkeys(numbers) if number in everywhere] or list(dict.fromkeys(numbers))


def _is_finite(
    model: Decoder,
    parameters: Mapping[str, nn.Parameter],
    objective: Objective[Row],
    rows: Rows[Row],
    number: int,
    tokens_per_pass: int,
) -> bool:
    try:
        for forest in objective.passes(rows.take([number]), tokens_per_pass):
            terms = objective.terms(model, forest.to(next(iter(parameters.values())).device))
            if not all(math.isfinite(float(term.detach())) for term in terms.values()):
                return False
            torch.autograd.backward([term for term in terms.values() if term.requires_grad])
        gradients = {name: parameter.grad for name, parameter in parameters.items() if parameter.grad is not None}
        return first_not_finite(gradients) is None
    finally:
        forget_gradients(parameters)
