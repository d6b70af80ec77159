"""The next token from logits: the most probable one, or a draw that depends on the seed and the position alone.

Names: N sequences, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def choose(
    logits_N_V: Tensor,
    temperatures: Sequence[float],
    seeds: Sequence[int],
    positions: Sequence[int],
    tokens: int | None = None,
) -> tuple[list[int], list[float]]:
    """A token for each row and its log-probability at temperature 1, whatever temperature it was drawn at. Ids from
    `tokens` on are never chosen."""
    known_N_V = logits_N_V[:, :tokens]
    token_N = known_N_V.argmax(dim=-1)
    drawn = [row for row, temperature in enumerate(temperatures) if temperature > 0]
    if drawn:
        temperature_N_1 = torch.tensor([[temperatures[row]] for row in drawn], dtype=torch.float64)
        uniform_N_1 = torch.tensor([[uniform(seeds[row], positions[row])] for row in drawn], dtype=torch.float64)
        device = logits_N_V.device
        token_N[drawn] = draw(known_N_V[drawn].double() / temperature_N_1.to(device), uniform_N_1.to(device))
    logprob_N = logits_N_V.gather(1, token_N[:, None])[:, 0] - logits_N_V.logsumexp(dim=-1)
    return token_N.tolist(), logprob_N.tolist()


def draw(logits_N_V: Tensor, uniform_N_1: Tensor) -> Tensor:
    """(N,) the first token at which the cumulated probability exceeds the number given, in [0, 1)."""
    cumulated = logits_N_V.softmax(dim=-1).cumsum(dim=-1)
    return torch.searchsorted(cumulated, uniform_N_1 * cumulated[:, -1:], right=True)[:, 0]


def uniform(seed: int, position: int) -> float:
    """A number in [0, 1) from a counter-based generator (Philox, SC 2011): the same in any batch and in any order."""
    return float(np.random.Generator(np.random.Philox(key=seed % 2**64, counter=position)).random())
