"""Supervised fine-tuning: the negative log-likelihood of the answers' tokens, a sum over tokens (not a mean).

The loop divides the sum once per update by `counts`, so that rows at once, accumulation, packing and ranks give the
same gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from burnish.model.decoder import Decoder
from burnish.model.forest import Forest, Segment, plant
from burnish.render.renderer import Rendered


@dataclass(frozen=True)
class SFT:
    """Rows → forests → one term, "answer": Σ weight · -log p(token)."""

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        """Packs (number, row) pairs in order into forests of at most `tokens_per_pass` tokens (a longer row alone)."""
        groups: list[list[Segment]] = []
        room = 0
        for number, row in rows:
            if not groups or len(row.ids) > room:
                groups.append([])
                room = tokens_per_pass
            groups[-1].append(Segment(row.ids, row.weights, row=number))
            room -= len(row.ids)
        return [plant(group) for group in groups]

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        """How many answer tokens there are, each by its weight."""
        return {"answer": float(sum(forest.target_weight_N.double().sum() for forest in passes))}

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        """The sum of the answer tokens' negative log-likelihood, in nats."""
        logprobs_N = model.logprobs(model.hidden(forest), forest)
        return {"answer": -(forest.target_weight_N.to(logprobs_N.dtype) * logprobs_N).sum()}
