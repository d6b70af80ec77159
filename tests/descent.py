"""The plainest optimiser: what the loop hands to it can be read off the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Descent:
    """weights - rate · gradient: at rate 1 the step is the gradient."""

    parameters: Mapping[str, nn.Parameter]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """As `AdamW.step`, without any state."""
        for parameter in self.parameters.values():
            if parameter.grad is not None:
                parameter.add_(parameter.grad, alpha=-rate)
