"""Dropout beside the base: of what LoRA's A reads, a share is left out in training and the rest made as much larger.

Nothing is drawn from a generator. Whether a number is left out is a hash of (seed, update, token, position, matrix,
feature), so an update is the same whatever was computed before it, whatever is packed or shared with it, on how many
ranks, and after every resume. Tokens that are the same at the same position lose the same features in one update, which
is what lets rows share their beginning; each row by itself sees draws that are independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from burnish.model.decoder import Decoder

WORD = 2**32


def _mixed(x: Tensor) -> Tensor:
    """A bijection of 64-bit integers in which every bit depends on every other (splitmix64's last step)."""
    x = (x ^ ((x >> 30) & (2**34 - 1))) * -0x40A7B892E31B1A47
    x = (x ^ ((x >> 27) & (2**37 - 1))) * -0x6B2FB644ECCEEE15
    return x ^ ((x >> 31) & (2**33 - 1))


def _word(x: Tensor) -> Tensor:
    """32 of the 64 bits, as a signed integer."""
    return (x >> 32).to(torch.int32)


class Draws:
    """A key for every token of the pass at hand."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.key_T = torch.zeros(0, dtype=torch.int64)

    def note(self, decoder: nn.Module, arguments: tuple[Any, ...]) -> None:
        """Called before every pass (a forward pre-hook). A pass without gradients drops nothing."""
        if not torch.is_grad_enabled() or not isinstance(decoder, Decoder):
            return
        tokens_T, position_T = arguments[:2]
        update = _mixed(_mixed(torch.tensor(self.seed, device=tokens_T.device)) + decoder.step)
        self.key_T = _mixed(_mixed(update + tokens_T) + position_T)


@dataclass(frozen=True)
class Dropout:
    """The draws of one matrix. `share`: how much is left out. `number`: which matrix it is."""

    draws: Draws
    number: int
    share: float

    def of_pass(self, x_T_D: Tensor) -> Callable[[], Tensor]:
        """What makes the pass's (T, D) factors: 0, or 1 / (1 - share). Called twice, it gives the same twice."""
        key_T, width, dtype = self.draws.key_T, x_T_D.shape[1], x_T_D.dtype

        def factors() -> Tensor:
            feature_D = _word(_mixed(torch.arange(width, device=key_T.device) + (self.number + 1) * WORD))
            bits_T_D = _word(_mixed(key_T + self.number))[:, None] ^ feature_D
            bits_T_D.mul_(0x21F0AAAD)
            bits_T_D ^= (bits_T_D >> 15).bitwise_and_(2**17 - 1)
            bits_T_D.mul_(0x735A2D97)
            kept_T_D = bits_T_D >= int(self.share * WORD) - WORD // 2
            return kept_T_D.to(dtype).mul_(1 / (1 - self.share))

        return factors
