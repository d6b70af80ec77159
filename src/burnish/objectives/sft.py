"""Supervised fine-tuning: the negative log-likelihood of the answers' tokens, a sum over tokens (not a mean).

The loop divides the sum once per update by `counts`, so that rows at once, accumulation, packing and ranks give the
same gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.packing import Strand, pack
from burnish.render.renderer import Rendered

TERMS = ("answer", "answer/accuracy")


@dataclass(frozen=True)
class SFT:
    """Rows → forests → one term to learn, "answer": Σ weight · -log p(token); and one to watch, the share of
    tokens that the model finds likeliest itself."""

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        """(number, row) pairs as forests of at most `tokens_per_pass` tokens."""
        return pack([[Strand(row.ids, row.weights, number)] for number, row in rows], tokens_per_pass)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        """How many answer tokens there are, each by its weight."""
        return dict.fromkeys(TERMS, float(sum(forest.target_weight_N.double().sum() for forest in passes)))

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        """The sum of the answer tokens' negative log-likelihood, in nats, and of those that are the likeliest."""
        logprob_N, top_N = model.scores(model.hidden(forest), forest)
        weight_N = forest.target_weight_N.to(logprob_N.dtype)
        return dict(zip(TERMS, (-(weight_N * logprob_N).sum(), (weight_N * top_N).sum()), strict=True))
