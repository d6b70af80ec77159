"""The way from the weights before training to those after it: scale 0 is the start, 1 the end.

Of weights themselves it is the straight line (WiSE-FT, arXiv 2109.01903). Of an adapter B A whose B began at zero only
B shrinks, so that the update of the matrix itself is scaled: half the scale is half the update.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

DOWN, UP = "lora_A", "lora_B"  # also in peft's names, which go on with ".default.weight"


@torch.no_grad()
def between(start: Mapping[str, Tensor], end: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """What trains, at a scale in [0, 1]: start + scale · (end - start), exactly `end` at 1; at 0 the network is as it
    was before training."""
    return {name: _at(name, start, tensor, scale) for name, tensor in end.items()}


def _at(name: str, start: Mapping[str, Tensor], end: Tensor, scale: float) -> Tensor:
    if scale == 1 or _counts_through(name, start):
        return end
    begun = start[name].to(end)
    return begun + scale * (end - begun)


def _counts_through(name: str, start: Mapping[str, Tensor]) -> bool:
    """Whether this is an A beside a B that began at zero: all of its effect goes through B."""
    partner = start.get(name.replace(DOWN, UP)) if DOWN in name else None
    return partner is not None and not bool(partner.any())
