"""AdamW over float32 masters. Its state is what a checkpoint holds: named tensors, out and in again.

The arithmetic is torch's own kernel. torch's class around it imports the compiler when it is first used, a second that
every start would pay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

BETAS = (0.9, 0.999)
EPSILON = 1e-8
STEP, MEAN, SQUARE = "step", "exp_avg", "exp_avg_sq"  # as torch's own optimiser names them


@dataclass(frozen=True)
class AdamW:
    """AdamW (arXiv 1711.05101), bit for bit torch's fused one.

    factors: name of a parameter → its rate in multiples of the one that `step` is given; 1 for those not named
    tensors: "name/step", "name/exp_avg" and "name/exp_avg_sq" of each parameter that was updated; the count is float32.
    """

    parameters: Mapping[str, nn.Parameter]
    weight_decay: float
    factors: Mapping[str, float] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One change of every parameter that has a gradient; the others stay as they are."""
        learnt = {name: one for name, one in self.parameters.items() if one.grad is not None}
        for name, parameter in learnt.items():
            if f"{name}/{STEP}" not in self.tensors:
                self.tensors[f"{name}/{STEP}"] = torch.zeros((), device=parameter.device)
                self.tensors[f"{name}/{MEAN}"] = torch.zeros_like(parameter)
                self.tensors[f"{name}/{SQUARE}"] = torch.zeros_like(parameter)
        for factor in dict.fromkeys(self.factors.get(name, 1.0) for name in learnt):
            self._change([name for name in learnt if self.factors.get(name, 1.0) == factor], rate * factor)

    def _change(self, names: Sequence[str], rate: float) -> None:
        parameters = [self.parameters[name] for name in names]
        steps, means, squares = ([self.tensors[f"{name}/{key}"] for name in names] for key in (STEP, MEAN, SQUARE))
        adamw(
            [*parameters],
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            means,
            squares,
            [],
            steps,
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=rate,
            weight_decay=self.weight_decay,
            eps=EPSILON,
            maximize=False,
        )


def forget_gradients(parameters: Mapping[str, nn.Parameter]) -> None:
    """Frees them: the next update begins without."""
    for parameter in parameters.values():
        parameter.grad = None


def optimiser_tensors(optimiser: AdamW) -> dict[str, Tensor]:
    """The count and both moments, in the order of the parameters: the tensors themselves, not copies."""
    keys = [f"{name}/{key}" for name in optimiser.parameters for key in (STEP, MEAN, SQUARE)]
    return {key: optimiser.tensors[key] for key in keys if key in optimiser.tensors}


def restore_optimiser(optimiser: AdamW, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `optimiser_tensors`."""
    for name, parameter in optimiser.parameters.items():
        if f"{name}/{STEP}" not in tensors:  # every update so far was left out
            continue
        for key in (STEP, MEAN, SQUARE):
            optimiser.tensors[f"{name}/{key}"] = tensors[f"{name}/{key}"].to(parameter.device).clone()
