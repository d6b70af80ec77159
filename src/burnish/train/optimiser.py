"""AdamW over float32 masters, and its state as named tensors: out and in again."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

MOMENTS = ("exp_avg", "exp_avg_sq")


def make_adamw(parameters: Mapping[str, nn.Parameter], weight_decay: float) -> torch.optim.AdamW:
    """AdamW (arXiv 1711.05101) with the usual β = (0.9, 0.999)."""
    return torch.optim.AdamW(
        list(parameters.values()), lr=0.0, betas=(0.9, 0.999), weight_decay=weight_decay, fused=True
    )


def optimiser_tensors(optimiser: torch.optim.AdamW, parameters: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """Both moments and the count of each parameter, by its name: the tensors themselves, not copies."""
    tensors = {}
    for name, parameter in parameters.items():
        for key, value in optimiser.state[parameter].items():
            tensors[f"{name}/{key}"] = value.detach()
    return tensors


def restore_optimiser(
    optimiser: torch.optim.AdamW, parameters: Mapping[str, nn.Parameter], tensors: Mapping[str, Tensor]
) -> None:
    """The inverse of `optimiser_tensors`."""
    for name, parameter in parameters.items():
        if f"{name}/step" not in tensors:  # every update so far was left out
            continue
        state = optimiser.state[parameter]
        state["step"] = tensors[f"{name}/step"].clone()
        for key in MOMENTS:
            state[key] = tensors[f"{name}/{key}"].to(parameter.device).clone()
