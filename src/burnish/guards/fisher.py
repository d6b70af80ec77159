"""Fisher information of a token: how much the answers depend on each weight, E[(∂ log p(answer) / ∂w)²].

The answers are the model's own, drawn at temperature 1, so that this is the Fisher information itself and not its
"empirical" stand-in with given answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from burnish.model.decoder import Decoder
from burnish.model.forest import Forest

Loss = Callable[[Decoder, Forest], Tensor]  # Σ -log p over a forest's targets


def diagonal_fisher(
    model: Decoder, parameters: Mapping[str, nn.Parameter], forests: Sequence[Forest], loss: Loss
) -> dict[str, Tensor]:
    """Σ over forests of the squared gradient / all targets, for each weight; a forest is one answer. As large as the
    weights that train."""
    total = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}
    names, tensors = list(parameters), list(parameters.values())
    for forest in forests:
        gradients = torch.autograd.grad(loss(model, forest.to(model.device)), tensors, allow_unused=True)
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is not None:
                total[name].addcmul_(gradient, gradient)
    tokens = sum(len(forest.target_at_N) for forest in forests)
    return {name: square.div_(tokens) for name, square in total.items()}


@dataclass
class _Sums:
    """Over the tokens t of a layer, with input x_t and the loss's gradient d_t in its output."""

    output_O: Tensor | float = 0.0  # Σ d_ti² |x_t|²
    input_I: Tensor | float = 0.0  # Σ |d_t|² x_tj²
    total: Tensor | float = 0.0  # Σ |d_t|² |x_t|²

    def add(self, x_T_I: Tensor, slope_T_O: Tensor) -> None:
        x2, d2 = x_T_I.float().square(), slope_T_O.float().square()
        x2_T, d2_T = x2.sum(-1), d2.sum(-1)
        self.output_O = self.output_O + d2.T @ x2_T
        self.input_I = self.input_I + d2_T @ x2
        self.total = self.total + (d2_T * x2_T).sum()


def factored_fisher(
    model: Decoder, layers: Mapping[str, nn.Module], forests: Sequence[Forest], loss: Loss
) -> dict[str, tuple[Tensor, Tensor]]:
    """name → (u (O,), v (I,)): u_i v_j stands for the Fisher information of W_ij of a frozen layer.

    That of a matrix is Σ_t d_ti² x_tj² / targets when the places of a text are taken as independent. Kept is the matrix
    of rank one with the same sums of rows and of columns (as Adafactor keeps squares, arXiv 1804.04235): O + I numbers
    where the whole would take as much memory as the base, and no gradient of a base that may lie in 4 bits.
    """
    sums = {name: _Sums() for name in layers}
    with _watched(layers, sums):
        for forest in forests:
            value = loss(model, forest.to(model.device))
            torch.autograd.grad(value, [one for one in model.parameters() if one.requires_grad], allow_unused=True)
    tokens = sum(len(forest.target_at_N) for forest in forests)
    return {name: _factors(one, tokens) for name, one in sums.items()}


def _factors(sums: _Sums, tokens: int) -> tuple[Tensor, Tensor]:
    output, inputs, total = (torch.as_tensor(part) for part in (sums.output_O, sums.input_I, sums.total))
    share = inputs / total.clamp_min(torch.finfo(torch.float32).tiny)
    return output / tokens, share


@contextmanager
def _watched(layers: Mapping[str, nn.Module], sums: Mapping[str, _Sums]) -> Iterator[None]:
    """Adds up what passes through the layers, there and back. The numbers themselves pass as they are."""

    def watch(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if output.requires_grad:  # not where activations are only computed to be computed again
                x_T_I = inputs[0].detach()
                output.register_hook(lambda slope: sums[name].add(x_T_I, slope))  # type: ignore[no-untyped-call]

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in layers.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
