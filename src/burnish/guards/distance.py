"""How far the weights have come from where they began, as a penalty.

L2-SP (arXiv 1802.01483) counts all weights alike: ½ Σ (w - w₀)². Elastic weight consolidation (arXiv 1612.00796)
counts each by its Fisher information: ½ Σ F (w - w₀)², the second-order estimate of KL(before ‖ now) where F is that
of a token.

For an adapter it is the change of the matrix beside which it stands that counts, ΔW = s·B·A, not A and B themselves,
which may grow and shrink against each other and leave ΔW as it is. With F_ij = u_i v_j,

    ½ Σ_ij u_i v_j ΔW_ij² = ½ s² trace((Bᵀ diag(u) B) (A diag(v) Aᵀ)),

two products of r columns: ΔW itself is never formed. L2-SP is u = v = 1.

Names: O outputs, I inputs, r rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LowRank:
    """The update of one matrix: ΔW (O, I) = scale · B A - start_scale · B₀ A₀, and how much its rows and columns count.

    `start` are B₀ and A₀ where the adapter does not begin at zero.
    """

    a_r_I: Tensor
    b_O_r: Tensor
    scale: float
    output_O: Tensor | None = None
    input_I: Tensor | None = None
    start: tuple[Tensor, Tensor] | None = None

    def half_square(self) -> Tensor:
        """½ Σ u_i v_j ΔW_ij²."""
        a, b = self.a_r_I, self.b_O_r
        if self.start is not None:
            b, a = torch.cat([b, -self.start[0]], 1), torch.cat([a, self.start[1]])
        of_b = b.T @ (b if self.output_O is None else b * self.output_O[:, None])
        of_a = a @ (a if self.input_I is None else a * self.input_I).T
        return 0.5 * self.scale**2 * (of_b * of_a).sum()


@dataclass(frozen=True)
class UpdatePenalty:
    """weight · ½ Σ over all matrices of what an adapter adds to them."""

    name: str
    weight: float
    updates: Sequence[LowRank]

    def parts(self) -> Iterator[Tensor]:
        """All of them at once: each is a number and two small products."""
        yield torch.stack([update.half_square() for update in self.updates]).sum()


@dataclass(frozen=True)
class WeightPenalty:
    """weight · ½ Σ F (w - w₀)² over the weights that train; F is 1 where there is none."""

    name: str
    weight: float
    parameters: Mapping[str, nn.Parameter]
    start: Mapping[str, Tensor]
    fisher: Mapping[str, Tensor] | None = None

    def parts(self) -> Iterator[Tensor]:
        """A tensor at a time."""
        for name, parameter in self.parameters.items():
            square = (parameter - self.start[name].to(parameter)).square()
            yield 0.5 * (square if self.fisher is None else square * self.fisher[name]).sum()


def keep_start(parameters: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """A copy of the weights: in bf16 where that holds every one of them exactly, as it does for a model that came in
    bf16, else as they are."""
    kept = {}
    for name, parameter in parameters.items():
        narrow = parameter.detach().to(torch.bfloat16)
        exact = torch.equal(narrow.to(parameter.dtype), parameter.detach())
        kept[name] = narrow if exact else parameter.detach().clone()
    return kept
