"""Direct preference optimisation (arXiv 2305.18290): the chosen answer gains on the rejected one, against a reference.

With log p summed over an answer's tokens, the margin of a pair is

    m = beta · ((log p(chosen) - log p_ref(chosen)) - (log p(rejected) - log p_ref(rejected)))

and its loss -log sigmoid(m). At the first step the model is the reference: every margin is 0, every loss ln 2.

A pair is two strands of one forest, so that the prompt is computed once. Strand 2n is the chosen answer of pair n,
2n + 1 the rejected one. Names: N targets, S strands, P pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.packing import Strand, pack
from burnish.render.renderer import RenderedPair

# (model, forest) → (S,): each strand's log-probability before training, in the order of `strand_logprobs`.
Reference: TypeAlias = Callable[[Decoder, Forest], Tensor]


TERMS = ("pair", "pair/margin", "pair/accuracy")


@dataclass(frozen=True)
class NumberedPair:
    """A pair with a number that no other pair of the run has, be it in train or in dev."""

    number: int
    pair: RenderedPair


@dataclass(frozen=True)
class DPO:
    """Pairs → forests → one term to learn, "pair": Σ -log sigmoid(margin); and two to watch, margin and accuracy."""

    reference: Reference
    beta: float = 0.1
    label_smoothing: float = 0.0

    def passes(self, rows: Sequence[tuple[int, NumberedPair]], tokens_per_pass: int) -> list[Forest]:
        """Pairs as forests of at most `tokens_per_pass` tokens; both answers of a pair in one forest."""
        return pack([_bundle(pair) for _, pair in rows], tokens_per_pass)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        """How many pairs there are."""
        return dict.fromkeys(TERMS, float(sum(len(_strand_rows(forest)[0]) // 2 for forest in passes)))

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        """The sums of losses, of margins, and of pairs with a margin above zero.

        With label smoothing e the loss of a pair is -(1 - e) log sigmoid(m) - e log sigmoid(-m).
        """
        margin_P = self.margins(model, forest)
        right_P, wrong_P = F.logsigmoid(margin_P), F.logsigmoid(-margin_P)
        loss = -((1 - self.label_smoothing) * right_P + self.label_smoothing * wrong_P).sum()
        seen_P = margin_P.detach()
        return dict(zip(TERMS, (loss, seen_P.sum(), (seen_P > 0).to(seen_P).sum()), strict=True))

    def margins(self, model: Decoder, forest: Forest) -> Tensor:
        """(P,): above zero where the chosen answer gained more, or lost less, than the rejected one."""
        gain_S = strand_logprobs(model, forest)
        gain_S = gain_S - self.reference(model, forest).to(gain_S)
        return self.beta * (gain_S[0::2] - gain_S[1::2])


def _bundle(pair: NumberedPair) -> list[Strand]:
    answers = (pair.pair.chosen, pair.pair.rejected)
    return [Strand(answer.ids, answer.weights, 2 * pair.number + place) for place, answer in enumerate(answers)]


def _strand_rows(forest: Forest) -> tuple[Tensor, Tensor]:
    """(S,) the row of each strand and (N,) the strand of each target. Strands stand whole and in the order in which
    they were packed, so an update that spans two epochs may hold the same pair twice."""
    row_S, strand_N = torch.unique_consecutive(forest.target_row_N, return_inverse=True)
    return row_S, strand_N


def strand_logprobs(model: Decoder, forest: Forest) -> Tensor:
    """(S,) log-probability of each strand's answer in nats, summed in float32, in float64 where the model is."""
    logprob_N = model.logprobs(model.hidden(forest), forest)
    row_S, strand_N = _strand_rows(forest)
    weighted_N = forest.target_weight_N.to(logprob_N.dtype) * logprob_N
    return logprob_N.new_zeros(len(row_S)).index_add(0, strand_N, weighted_N)


def switched(base_of: Callable[[Decoder], AbstractContextManager[Decoder]]) -> Reference:
    """A reference that is the model itself with its adapter off: on the same forest, so the start is met to the bit."""

    @torch.no_grad()
    def reference(model: Decoder, forest: Forest) -> Tensor:
        with base_of(model) as base:
            return strand_logprobs(base, forest)

    return reference


def cached(logprobs: Sequence[tuple[float, float]]) -> Reference:
    """A reference that was asked before training: (chosen, rejected) of every pair, by its number."""
    logprob_R = torch.tensor(logprobs, dtype=torch.float64).flatten()

    def reference(model: Decoder, forest: Forest) -> Tensor:
        return logprob_R[_strand_rows(forest)[0].cpu()].to(forest.tokens_T.device)

    return reference


@torch.no_grad()
def pair_logprobs(model: Decoder, pairs: Sequence[RenderedPair], tokens_per_pass: int) -> list[tuple[float, float]]:
    """(log p(chosen), log p(rejected)) of every pair, in nats: what `cached` takes."""
    found = torch.zeros(2 * len(pairs), dtype=torch.float64)
    bundles = [_bundle(NumberedPair(number, pair)) for number, pair in enumerate(pairs)]
    for forest in pack(bundles, tokens_per_pass):
        found[_strand_rows(forest)[0]] = strand_logprobs(model, forest.to(model.device)).double().cpu()
    return [(chosen, rejected) for chosen, rejected in found.view(-1, 2).tolist()]
