"""KL(before ‖ now) of the next token on the model's own answers to general prompts, exact over the vocabulary.

Self-replay asks for one token of each place, a sample; this asks for the whole distribution there, and so tells the
same with less noise. What the model before training says is kept as the hidden states that its output layer reads, a
row of the model's width a token: no second model and no second pass, whatever trains.

Names: N targets, D width, R rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from burnish.guards.schedule import Schedule
from burnish.model.decoder import Decoder
from burnish.model.divergence import divergence
from burnish.model.forest import Forest

Row = TypeVar("Row")
Pack = Callable[[Sequence[tuple[int, Row]], int], list[Forest]]


@dataclass(frozen=True)
class Before:
    """What the model said before training: for each row the hidden states of its targets (n, D), and the output layer
    (V, D), a copy where that trains."""

    hidden_R: Sequence[Tensor]
    head_V_D: Tensor

    @property
    def bytes(self) -> int:
        return sum(hidden.nbytes for hidden in self.hidden_R)


@dataclass(frozen=True)
class KL(Generic[Row]):
    """The mean over the tokens of general answers: weight · Σ KL / tokens, in nats."""

    weight: float
    rows: Sequence[Row]
    schedule: Schedule
    pack: Pack[Row]
    before: Before
    name: str = "kl"

    def passes(self, step: int, rank: int, size: int, tokens_per_pass: int) -> list[Forest]:
        """This rank's general rows of a step. A row that comes twice has two numbers, equal modulo R."""
        mine = self.schedule.at(step)[rank::size]
        numbered = [(place * len(self.rows) + row, self.rows[row]) for place, row in enumerate(mine)]
        return self.pack(numbered, tokens_per_pass)

    def count(self, passes: Sequence[Forest]) -> float:
        """Tokens of their answers."""
        return float(sum(len(forest.target_at_N) for forest in passes))

    def term(self, model: Decoder, forest: Forest) -> Tensor:
        """The sum of the divergences."""
        hidden_N_D = model.hidden(forest)[forest.target_at_N]
        numbers = torch.unique_consecutive(forest.target_row_N).tolist()
        base_N_D = torch.cat([self.before.hidden_R[number % len(self.rows)] for number in numbers])
        return divergence(hidden_N_D, model.head_weight, base_N_D.to(hidden_N_D), self.before.head_V_D).sum()


@torch.no_grad()
def remember(model: Decoder, rows: Sequence[Row], pack: Pack[Row], tokens_per_pass: int) -> Before:
    """What the model says of these rows now, to be compared with what it will say."""
    hidden: dict[int, Tensor] = {}
    for forest in pack(list(enumerate(rows)), tokens_per_pass):
        placed = forest.to(model.device)
        hidden_N_D = model.hidden(placed)[placed.target_at_N]
        numbers, counts = torch.unique_consecutive(placed.target_row_N, return_counts=True)
        hidden.update(zip(numbers.tolist(), torch.split(hidden_N_D.clone(), counts.tolist()), strict=True))
    head = model.head_weight.detach()
    kept = head.to(model.compute, copy=True) if model.head_weight.requires_grad else head
    return Before([hidden[number] for number in range(len(rows))], kept)
