from __future__ import annotations

import pytest

from burnish.core.records import Item, Sample
from burnish.evals.arms import Decoding, sample_seed
from burnish.evals.sampling import sampling_of, sampling_sentence
from burnish.evals.verdict import judge


def item(number: int, arm: str, scores: list[float]) -> Item:
    samples = tuple(Sample("x", {"correct": score}) for score in scores)
    mean = sum(scores) / len(scores)
    return Item("task", str(number), arm, "?", "x", "x", {"correct": mean}, samples=samples if len(scores) > 1 else ())


def test_a_seed_depends_on_all_four_and_on_nothing_else() -> None:
    assert sample_seed(3, "task", "a", 1) == sample_seed(3, "task", "a", 1)
    others = [(4, "task", "a", 1), (3, "other", "a", 1), (3, "task", "b", 1), (3, "task", "a", 2), (3, "tas", "ka", 1)]
    several = {sample_seed(3, "task", "a", 1), *(sample_seed(*one) for one in others)}
    assert len(several) == 6
    assert all(0 <= seed < 2**31 for seed in several)
    assert Decoding(4, frozenset(), 1.0, 3, seed=3).seeds("task", "a")[1] == sample_seed(3, "task", "a", 1)


def test_an_item_with_samples_is_read_as_it_was_written() -> None:
    one = item(1, "tuned", [1.0, 0.0])
    assert Item.from_json(one.to_json()) == one
    assert "samples" not in item(1, "tuned", [1.0]).to_json()


def test_the_two_spreads_by_hand() -> None:
    items = [item(0, "tuned", [1.0, 1.0]), item(1, "tuned", [1.0, 0.0]), item(2, "tuned", [0.0, 0.0])]
    found = sampling_of("tuned", items, "correct")
    assert found is not None
    # means by seed: 2/3 and 1/3, deviation √(2 · (1/6)²) = 0.235702
    assert found.between_seeds == pytest.approx(0.2357022604)
    # means by item: 1, 0.5, 0: deviation 0.5, by √3
    assert found.between_items == pytest.approx(0.5 / 3**0.5)
    assert found.samples == 2
    assert sampling_of("tuned", [item(0, "tuned", [1.0])], "correct") is None


def test_the_verdict_counts_items_and_never_samples() -> None:
    # 12 rows, each answered 8 times and always alike: as much evidence as 12 answers, not as 96
    once = [item(n, arm, [float(arm == "tuned")]) for n in range(12) for arm in ("tuned", "base")]
    often = [item(n, arm, [float(arm == "tuned")] * 8) for n in range(12) for arm in ("tuned", "base")]
    plan = {"opponents": ["base"], "task": {"metric": "correct"}}
    first, second = judge(once, plan).task, judge(often, plan).task
    assert first.n == second.n == 12
    assert first.comparisons == second.comparisons
    assert (first.sampling, {one.arm for one in second.sampling}) == ((), {"tuned", "base"})
    assert "8 times" in sampling_sentence(second.sampling, "correct", "tuned")
    assert sampling_sentence(first.sampling, "correct", "tuned") == ""
