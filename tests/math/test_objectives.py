"""Each loss against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from burnish.model.forest import Forest
from burnish.model.logprobs import target_scores
from burnish.objectives.sft import SFT
from burnish.render.renderer import Rendered

LN2 = math.log(2)


class Bigrams:
    """A model that knows the last token alone: p(next | last), in powers of 1/2."""

    table_V_V = torch.tensor(
        [
            [1 / 2, 1 / 4, 1 / 8, 1 / 8],  # after 0
            [1 / 8, 1 / 8, 1 / 2, 1 / 4],  # after 1
            [1 / 4, 1 / 4, 1 / 4, 1 / 4],  # after 2
            [1 / 8, 1 / 2, 1 / 8, 1 / 4],  # after 3
        ],
        dtype=torch.float64,
    )

    def hidden(self, forest: Forest) -> Tensor:
        return self.table_V_V[forest.tokens_T].log()

    def scores(self, hidden_T_V: Tensor, forest: Forest) -> tuple[Tensor, Tensor]:
        return target_scores(hidden_T_V[forest.target_at_N], torch.eye(4, dtype=torch.float64), forest.target_id_N)


def rendered(ids: list[int], weights: list[float]) -> Rendered:
    return Rendered(ids, weights, [0] * len(ids))


# (question, answer): the question is read, the answer and its end learnt
FIRST = rendered([0, 1, 2, 3], [0.0, 0.0, 1.0, 1.0])  # -ln p(2|1) - ln p(3|2) = ln 2 + ln 4 = 3 ln 2
SECOND = rendered([3, 1], [0.0, 1.0])  # -ln p(1|3) = ln 2
WEIGHTED = rendered([0, 3, 0], [0.0, 0.5, 2.0])  # -½ ln p(3|0) - 2 ln p(0|3) = 1.5 ln 2 + 6 ln 2 = 7.5 ln 2
WHOLE = rendered([2, 0, 0], [1.0, 1.0, 1.0])  # the first token has nothing before it: -ln p(0|2) - ln p(0|0) = 3 ln 2


# The likeliest after 0 is 0, after 1 it is 2, after 3 it is 1; after 2 all are alike, and each counts as the likeliest.
@pytest.mark.parametrize(
    ("row", "loss", "right", "count"),
    [(FIRST, 3, 2, 2), (SECOND, 1, 1, 1), (WEIGHTED, 7.5, 0, 2.5), (WHOLE, 3, 2, 2)],
)
def test_a_rows_loss_is_the_weighted_sum_over_its_learnt_tokens(
    row: Rendered, loss: float, right: float, count: float
) -> None:
    (forest,) = SFT().passes([(0, row)], 100)
    terms = SFT().terms(Bigrams(), forest)  # type: ignore[arg-type]
    assert terms["answer"].item() == pytest.approx(loss * LN2, rel=1e-12)
    assert terms["answer/accuracy"].item() == right
    assert SFT().counts([forest]) == {"answer": count, "answer/accuracy": count}


@pytest.mark.parametrize(("tokens_per_pass", "forests"), [(1, 4), (6, 2), (7, 2), (100, 1)])
def test_packing_changes_neither_sum_nor_count(tokens_per_pass: int, forests: int) -> None:
    # 3 + 1 + 7.5 + 3 = 14.5 times ln 2, over 2 + 1 + 2.5 + 2 = 7.5 tokens. Rows of 4, 2, 3 and 3 tokens in passes of
    # 6: (4, 2), (3, 3); of 7: (4, 2), (3, 3); of 1: each alone.
    sft, rows = SFT(), list(enumerate([FIRST, SECOND, WEIGHTED, WHOLE]))
    passes = sft.passes(rows, tokens_per_pass)
    assert len(passes) == forests
    total = sum(sft.terms(Bigrams(), forest)["answer"].item() for forest in passes)  # type: ignore[arg-type]
    assert total == pytest.approx(14.5 * LN2, rel=1e-12)
    assert sft.counts(passes)["answer"] == 7.5


def test_each_target_knows_its_row() -> None:
    (forest,) = SFT().passes([(7, FIRST), (3, SECOND)], 100)
    assert forest.target_row_N.tolist() == [7, 7, 3]
    assert forest.target_id_N.tolist() == [2, 3, 1]
    assert forest.target_at_N.tolist() == [1, 2, 4]


def test_a_row_longer_than_a_pass_is_computed_alone_and_whole() -> None:
    passes = SFT().passes([(0, SECOND), (1, FIRST), (2, SECOND)], 3)
    assert [forest.tokens for forest in passes] == [2, 4, 2]
