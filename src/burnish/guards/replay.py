"""Replay: general rows are learnt beside the user's own. With answers that stand in them it is rehearsal of old data;
with the model's own answers from before training it is self-replay, which needs none.

An own answer drawn at temperature 1 is a sample of the model's distribution, so that at the start of training the
expected gradient of its loss is zero: it pulls nowhere until the model has moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from torch import Tensor

from burnish.guards.schedule import Schedule
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest

TERM = "answer"  # of the supervised objective: what is learnt
Row = TypeVar("Row")
Row_contra = TypeVar("Row_contra", contravariant=True)


class Supervised(Protocol[Row_contra]):
    """How rows become forests and a sum of losses over their answers: the supervised objective."""

    def passes(self, rows: Sequence[tuple[int, Row_contra]], tokens_per_pass: int) -> list[Forest]: ...

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]: ...

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Replay(Generic[Row]):
    """The mean loss a token of general rows: weight · Σ -log p(token) / tokens, in nats."""

    name: str
    weight: float
    rows: Sequence[Row]
    schedule: Schedule
    supervised: Supervised[Row]

    def passes(self, step: int, rank: int, size: int, tokens_per_pass: int) -> list[Forest]:
        """This rank's general rows of a step."""
        mine = self.schedule.at(step)[rank::size]
        return self.supervised.passes([(number, self.rows[number]) for number in mine], tokens_per_pass)

    def count(self, passes: Sequence[Forest]) -> float:
        """Tokens of their answers."""
        return self.supervised.counts(passes)[TERM]

    def term(self, model: Decoder, forest: Forest) -> Tensor:
        """The sum of their negative log-likelihood."""
        return self.supervised.terms(model, forest)[TERM]
