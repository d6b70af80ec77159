"""The next token from logits: the most probable one, or a draw that depends on the seed and the position alone.

Names: N sequences, V vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from burnish.generate.request import Alternatives, Request

NUCLEUS_AT_FIRST = 256  # tokens that nearly always hold the share asked for


def choose(
    logits_N_V: Tensor,
    temperatures: Sequence[float],
    seeds: Sequence[int],
    positions: Sequence[int],
    tokens: int | None = None,
    *,
    top_p: Mapping[int, float] | None = None,
    changed: Mapping[int, Tensor] | None = None,
) -> tuple[list[int], list[float]]:
    """A token for each row and its log-probability at temperature 1, whatever temperature it was drawn at. Ids from
    `tokens` on are never chosen. `top_p` and `changed` hold, for the rows that have any, the share of probability that
    is drawn from and the logits (V,) that the token is chosen by."""
    known_N_V = logits_N_V[:, :tokens]
    if changed:
        known_N_V = known_N_V.clone()
        for row, logits_V in changed.items():
            known_N_V[row] = logits_V[:tokens]
    token_N = known_N_V.argmax(dim=-1)
    drawn = [row for row, temperature in enumerate(temperatures) if temperature > 0]
    if drawn:
        temperature_N_1 = torch.tensor([[temperatures[row]] for row in drawn])
        uniform_N_1 = torch.tensor([[uniform(seeds[row], positions[row])] for row in drawn], dtype=torch.float64)
        device = logits_N_V.device
        scaled_N_V = known_N_V[drawn] / temperature_N_1.to(device)
        for index, row in enumerate(drawn):
            if top_p and row in top_p:
                scaled_N_V[index] = nucleus(scaled_N_V[index], top_p[row])
        token_N[drawn] = draw(scaled_N_V, uniform_N_1.to(device))
    logprob_N = logits_N_V.log_softmax(dim=-1).gather(1, token_N[:, None])[:, 0]
    return token_N.tolist(), logprob_N.tolist()


def draw(logits_N_V: Tensor, uniform_N_1: Tensor) -> Tensor:
    """(N,) the first token at which the cumulated probability exceeds the number given, in [0, 1)."""
    cumulated = logits_N_V.softmax(dim=-1).cumsum(dim=-1, dtype=torch.float64)
    return torch.searchsorted(cumulated, uniform_N_1 * cumulated[:, -1:], right=True)[:, 0]


def nucleus(logits_V: Tensor, share: float) -> Tensor:
    """The logits of the fewest most probable tokens that hold `share` of the probability, and of those as probable as
    the last of them; the others at -inf."""
    share_V, vocab = logits_V.softmax(dim=-1), logits_V.shape[0]
    for count in (min(NUCLEUS_AT_FIRST, vocab), vocab):  # to sort a whole vocabulary takes ten times as long
        most_K = share_V.topk(count).values
        held_K = most_K.cumsum(dim=-1, dtype=torch.float64)
        if held_K[-1] >= share:
            break
    last = min(int((held_K < share).sum()), count - 1)
    return logits_V.masked_fill(share_V < most_K[last], float("-inf"))


def uniform(seed: int, position: int) -> float:
    """A number in [0, 1) from a counter-based generator (Philox, SC 2011): the same in any batch and in any order."""
    return float(np.random.Generator(np.random.Philox(key=seed % 2**64, counter=position)).random())


def changes(request: Request) -> bool:
    """Whether the token is chosen by other logits than the model's."""
    return bool(request.bias or request.presence_penalty or request.frequency_penalty or request.guide)


def changed_logits(logits_V: Tensor, request: Request, answer: Sequence[int]) -> Tensor:
    """(V,): the model's logits with the request's bias, less its penalties for what the answer holds, and -inf where
    its guide lets nothing through."""
    logits_V = logits_V.clone()
    for token, value in request.bias:
        logits_V[token] += value
    if answer and (request.presence_penalty or request.frequency_penalty):
        counts = Counter(answer)
        ids = torch.tensor(list(counts), device=logits_V.device)
        times = torch.tensor(list(counts.values()), dtype=logits_V.dtype, device=logits_V.device)
        logits_V[ids] -= request.presence_penalty + request.frequency_penalty * times
    allowed_V = request.guide.allowed() if request.guide is not None else None
    if allowed_V is not None:
        beyond = logits_V.shape[0] - allowed_V.shape[0]
        allowed_V = torch.nn.functional.pad(allowed_V, (0, beyond)) if beyond > 0 else allowed_V[: logits_V.shape[0]]
        logits_V.masked_fill_(~allowed_V.to(logits_V.device), float("-inf"))
    return logits_V


def alternatives(logits_V: Tensor, count: int, tokens: int | None = None) -> Alternatives:
    """The most probable tokens with their log-probabilities in nats, at temperature 1."""
    values, ids = logits_V[:tokens].topk(min(count, logits_V[:tokens].shape[0]))
    logprobs = values - logits_V.logsumexp(dim=-1)
    return tuple(zip(ids.tolist(), logprobs.tolist(), strict=True))
