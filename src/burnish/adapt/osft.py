"""Orthogonal subspace fine-tuning (arXiv 2504.07097): the largest singular directions of every matrix stay as they are.

With W = U S Vᵀ, of whose directions the first k are kept, the update D obeys U_kᵀ D = 0 and D V_k = 0, exactly and
whatever the optimiser does: it is written as D = (I - U_k U_kᵀ) N V_restᵀ for a matrix with more outputs than inputs,
and as D = U_rest N (I - V_k V_kᵀ) for one with more inputs. N trains, from zero; all else is fixed. So U_kᵀ (W + D) V_k
is what it was. (The paper projects gradients; Adam's steps then still leave the subspace a little.)
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from burnish.adapt.method import Method
from burnish.adapt.settings import OSFTSettings
from burnish.adapt.targets import find_targets
from burnish.model.decoder import Decoder
from burnish.model.frozen_linear import FrozenLinear


def split_directions(weight: Tensor, kept: int) -> tuple[Tensor, Tensor, Tensor]:
    """(out, kept) and (in, kept): the left and right singular vectors that stay; and the others of the narrower side,
    (in, rest) or (out, rest). Orthonormal, float64.

    The sign of a singular vector is free; here its largest entry is positive, so that a run that goes on elsewhere
    reads its checkpoint in the same directions.
    """
    left, _, right_t = torch.linalg.svd(weight.double(), full_matrices=False)
    narrow = right_t.T if weight.shape[0] >= weight.shape[1] else left
    largest = narrow.gather(0, narrow.abs().argmax(dim=0, keepdim=True))
    rest = (narrow * largest.sign())[:, kept:]
    return left[:, :kept], right_t[:kept].T, rest


class OSFTLinear(nn.Module):
    """A frozen linear layer with an update beside it that leaves its kept directions alone. At first it is zero."""

    fixed: Tensor
    held: Tensor

    def __init__(self, base: FrozenLinear, keep: float, wide: torch.dtype) -> None:
        super().__init__()
        self.base = base
        self.tall = base.out_features >= base.in_features
        weight = base.dense(torch.float32)
        narrow = min(weight.shape)
        left, right, rest = split_directions(weight, max(1, min(narrow - 1, round(keep * narrow))))
        self.register_buffer("fixed", rest.to(wide).contiguous(), persistent=False)
        self.register_buffer("held", (left if self.tall else right).to(wide).contiguous(), persistent=False)
        broad = base.out_features if self.tall else base.in_features
        self.learnt = nn.Parameter(torch.zeros(broad, rest.shape[1], dtype=wide, device=weight.device))

    def factors(self) -> tuple[Tensor, Tensor]:
        """(out, rest) and (rest, in): the update is their product."""
        free = self.learnt - self.held @ (self.held.T @ self.learnt)
        return (free, self.fixed.T) if self.tall else (self.fixed, free.T)

    def forward(self, x: Tensor) -> Tensor:
        up, down = self.factors()
        added = F.linear(F.linear(x, down.to(x.dtype)), up.to(x.dtype))
        output: Tensor = self.base(x) + added
        return output

    def merged_weight(self, wide: torch.dtype) -> Tensor:
        """W and its update as one matrix."""
        up, down = self.factors()
        return self.base.dense(wide) + up.to(wide) @ down.to(wide)


def apply(decoder: Decoder, settings: OSFTSettings, seed: int) -> None:
    """Puts an update beside every matrix named in the settings; one decomposition each. Raises RecipeError: a name
    matches nothing."""
    wide = torch.float64 if decoder.compute == torch.float64 else torch.float32
    for name, base in find_targets(decoder, settings.target_names):
        decoder.set_submodule(name, OSFTLinear(base, settings.keep, wide))


def merged(decoder: Decoder) -> Mapping[str, Tensor]:
    """The merged weight of every matrix with an update, by its name."""
    wide = torch.float64 if decoder.compute == torch.float64 else torch.float32
    updated = {name: module for name, module in decoder.named_modules() if isinstance(module, OSFTLinear)}
    return {f"{name}.weight": module.merged_weight(wide).detach() for name, module in updated.items()}


METHOD = Method(apply=apply, merged=merged)
