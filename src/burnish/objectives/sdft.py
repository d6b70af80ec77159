"""Self-distillation fine-tuning (arXiv 2601.19897): the model learns from itself, who has seen the answer.

The student answers the prompt in its own words; the teacher is the model before training with the given answer in its
prompt. At every token of the student's answer the student's distribution is pulled to the teacher's:

    Σ_v q_v (log q_v - log p_v), q of the student, p of the teacher; the reverse KL, exact over the vocabulary

Since only what the model says itself is changed, less is forgotten than by imitating foreign words. Who draws the
student's answers is not told here: a row holds what was said, which on dev is the given answer.

Names: N targets, n of one chunk, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.model.logprobs import CHUNK
from burnish.model.pointwise import wide
from burnish.objectives.packing import Strand, grow, pack

TERM = "distil"


@dataclass(frozen=True)
class Told:
    """A row: the prompt, and what is said to it. `number` is one that no other row of train and dev has."""

    number: int
    prompt: tuple[int, ...]
    said: tuple[int, ...]


@dataclass(frozen=True)
class SDFT:
    """Rows → forests → one term, "distil". `hints`: the teacher's prompt of every row by its number. `base_of`: the
    model before training, for as long as the context lasts."""

    hints: Sequence[tuple[int, ...]]
    base_of: Callable[[Decoder], AbstractContextManager[Decoder]]

    def passes(self, rows: Sequence[tuple[int, Told]], tokens_per_pass: int) -> list[Forest]:
        """Prompts with what was said as forests; of their tokens and the teacher's, whose prompts are longer, at most
        `tokens_per_pass`. A row that comes twice in an update has two numbers, equal modulo the number of rows."""
        strands = [
            [_strand(row.prompt, row.said, place * len(self.hints) + row.number)] for place, (_, row) in enumerate(rows)
        ]
        longer = sum(len(self.hints[row.number]) + len(row.said) for _, row in rows)
        own = sum(len(row.prompt) + len(row.said) for _, row in rows)
        return pack(strands, max(1, tokens_per_pass * own // max(own, longer, 1)))

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        """How many tokens were said."""
        return {TERM: float(sum(len(forest.target_at_N) for forest in passes))}

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        """The sum of the divergences in nats."""
        with torch.no_grad(), self.base_of(model) as base:
            hinted = self._hinted(forest).to(forest.tokens_T.device)
            teacher_N_D = base.hidden(hinted)[hinted.target_at_N]
        student_N_D = model.hidden(forest)[forest.target_at_N]
        return {TERM: reverse_divergence(student_N_D, teacher_N_D, model.head_weight).sum()}

    def _hinted(self, forest: Forest) -> Forest:
        """The same words after the teacher's prompts, with targets in the same order."""
        numbers, counts = torch.unique_consecutive(forest.target_row_N, return_counts=True)
        said = torch.split(forest.target_id_N, counts.tolist())
        return grow(
            [
                _strand(self.hints[number % len(self.hints)], tuple(words.tolist()), number)
                for number, words in zip(numbers.tolist(), said, strict=True)
            ]
        )


def _strand(prompt: tuple[int, ...], said: tuple[int, ...], row: int) -> Strand:
    return Strand((*prompt, *said), [0.0] * len(prompt) + [1.0] * len(said), row)


class _ReverseDivergence(torch.autograd.Function):
    """Σ_v q_v (log q_v - log p_v). Its gradient in the student's logits is q (log q - log p - divergence); its product
    with the frozen output layer is computed while the logits are at hand, so that they never all exist."""

    @staticmethod
    def forward(ctx: Any, student_N_D: Tensor, teacher_N_D: Tensor, head_V_D: Tensor) -> Tensor:
        kl_N = wide(student_N_D.new_empty(len(student_N_D)))
        slope_N_D = torch.empty_like(student_N_D)
        head = head_V_D.to(student_N_D.dtype)
        for start in range(0, len(student_N_D), CHUNK):
            n = slice(start, start + CHUNK)
            student_n_V, teacher_n_V = (
                wide(hidden @ head.T).log_softmax(-1) for hidden in (student_N_D[n], teacher_N_D[n])
            )
            apart_n_V = student_n_V - teacher_n_V
            share_n_V = student_n_V.exp_()
            kl_N[n] = (share_n_V * apart_n_V).sum(-1)
            slope_N_D[n] = share_n_V.mul_(apart_n_V.sub_(kl_N[n, None])).to(head.dtype) @ head
        ctx.save_for_backward(slope_N_D)
        return kl_N

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        (slope_N_D,) = ctx.saved_tensors
        return slope_N_D * slopes[0][:, None].to(slope_N_D.dtype), None, None


def reverse_divergence(student_N_D: Tensor, teacher_N_D: Tensor, head_V_D: Tensor) -> Tensor:
    """(N,) KL(student ‖ teacher) in nats, at least float32. Only the student's hidden states have a gradient: the
    output layer is frozen, and both use it."""
    result: Tensor = _ReverseDivergence.apply(student_N_D, teacher_N_D, head_V_D)  # type: ignore[no-untyped-call]
    return result
