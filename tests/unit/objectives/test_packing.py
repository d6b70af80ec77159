"""Packing: every token once, nothing learnt is shared, the size is kept."""

from __future__ import annotations

import random

import pytest

from burnish.model.forest import Forest
from burnish.objectives.packing import Strand, grow, pack


def strand(read: list[int], learnt: list[int], row: int) -> Strand:
    return Strand([*read, *learnt], [0.0] * len(read) + [1.0] * len(learnt), row)


def paths(forest: Forest) -> list[list[int]]:
    """The tokens that each leaf reads, from its root on."""
    leaves = [segment for segment in range(len(forest.parents)) if segment not in forest.parents]
    return [
        [
            int(token)
            for part in (*forest.ancestors(leaf), leaf)
            for token in forest.tokens_T[forest.start_S[part] : forest.start_S[part] + forest.length_S[part]]
        ]
        for leaf in leaves
    ]


SYSTEM = list(range(100, 140))  # 40 tokens


def test_rows_under_one_system_prompt_share_one_root() -> None:
    rows = [strand([*SYSTEM, 1, row], [7, 8], row) for row in (10, 11, 12)]
    (forest,) = pack([[row] for row in rows], 1000)
    # 40 + 1 shared, then each its own token and its answer: 41 + 3 · 3; separately they would hold 3 · 44
    assert (forest.tokens, forest.row_tokens) == (50, 132)
    assert sorted(paths(forest)) == sorted(list(row.tokens) for row in rows)


def test_what_is_learnt_is_never_shared() -> None:
    same = [strand(SYSTEM, [1] * 50, row) for row in (0, 1)]
    (forest,) = pack([[row] for row in same], 1000)
    assert forest.tokens == 40 + 50 + 50
    assert forest.target_row_N.tolist() == [0] * 50 + [1] * 50
    assert len(pack([[Strand([1] * 60, [1.0] * 60, 0)], [Strand([1] * 60, [1.0] * 60, 1)]], 1000)[0].parents) == 2


def test_a_short_common_beginning_is_not_worth_a_root() -> None:
    (forest,) = pack([[strand([1, 2, 3], [4], 0)], [strand([1, 2, 3], [5], 1)]], 1000)
    assert forest.parents == (-1, -1)


def test_sharing_can_be_left_out() -> None:
    rows = [[strand(SYSTEM, [row], row)] for row in (1, 2)]
    (forest,) = pack(rows, 1000, share=False)
    assert forest.tokens == forest.row_tokens == 82


def test_a_shared_root_lets_more_rows_into_a_pass() -> None:
    # 40 + 4 · 5 = 60 tokens together; apart, one row of 45 fills a pass of 60
    rows = [[strand([*SYSTEM, row, row], [1, 2, 3], row)] for row in range(4)]
    assert [forest.tokens for forest in pack(rows, 60)] == [60]
    assert len(pack(rows, 60, share=False)) == 4


def test_bundles_stay_together_and_those_under_one_root_meet() -> None:
    other = [token + 100 for token in SYSTEM]
    bundles = [
        [strand([*prompt, row, row], [1], 2 * row), strand([*prompt, row, row], [2], 2 * row + 1)]
        for row, prompt in enumerate([SYSTEM, other, SYSTEM, other])
    ]
    forests = pack(bundles, 60)
    assert [sorted(set(forest.target_row_N.tolist())) for forest in forests] == [[0, 1, 4, 5], [2, 3, 6, 7]]
    # 40 shared by all; 2 shared by each pair; one learnt token each
    assert [forest.tokens for forest in forests] == [40 + 4 * 3, 40 + 4 * 3]


def test_a_bundle_larger_than_a_pass_is_computed_alone_and_whole() -> None:
    forests = pack([[strand([1, 2], [3], 0)], [strand([1] * 90, [2], 1)], [strand([4, 5], [6], 2)]], 10)
    assert [forest.tokens for forest in forests] == [3, 91, 3]


@pytest.mark.parametrize("seed", range(20))
def test_every_row_is_there_once_with_its_targets_and_within_the_size(seed: int) -> None:
    chance = random.Random(seed)
    starts = [[chance.randint(0, 3) for _ in range(chance.choice([0, 35, 80]))] for _ in range(3)]
    rows = [
        strand(
            chance.choice(starts) + chance.choice(starts) + [chance.randint(0, 3)],
            [chance.randint(0, 3) for _ in range(chance.randint(1, 40))],
            row,
        )
        for row in range(12)
    ]
    size = chance.choice([150, 250, 1000])
    forests = pack([[row] for row in rows], size)
    assert sorted(path for forest in forests for path in paths(forest)) == sorted(list(row.tokens) for row in rows)
    for row in rows:
        found = [
            (forest.target_id_N[forest.target_row_N == row.row].tolist(), forest)
            for forest in forests
            if row.row in forest.target_row_N
        ]
        learnt = [token for token, weight in zip(row.tokens, row.weights, strict=True) if weight]
        assert [ids for ids, _ in found] == [learnt]
    assert all(forest.tokens <= max(size, 201) for forest in forests)
    assert sum(forest.row_tokens for forest in forests) == sum(len(row.tokens) for row in rows)
    assert grow(rows).tokens <= sum(len(row.tokens) for row in rows)
