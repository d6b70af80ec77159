from __future__ import annotations

from dataclasses import replace

from burnish.evals.ladder.picture import ladder_picture
from burnish.evals.ladder.records import Ladder, Rung
from burnish.evals.ladder.rule import recommend, with_front


def rung(name: str, gain: float, forgetting: float, *, spread: float = 0.02, memory: str = "KEPT") -> Rung:
    return Rung(name, {}, "BETTER", gain, gain - 0.1, gain + 0.1, memory, forgetting, forgetting - spread,
                forgetting + spread, None, 10, 1.0)  # fmt: skip


RUNGS = [rung("none", 0.50, 0.30), rung("kl", 0.45, 0.02), rung("l2", 0.20, 0.01), rung("ewc", 0.48, 0.045)]


def test_the_front_leaves_out_what_another_beats_in_both() -> None:
    found = with_front([*RUNGS, rung("osft", 0.19, 0.02)])
    assert [one.name for one in found if one.front] == ["none", "kl", "l2", "ewc"]
    twins = with_front([rung("a", 0.2, 0.1), rung("b", 0.2, 0.1)])
    assert all(one.front for one in twins)


def test_the_largest_gain_within_the_limit_is_taken_by_the_bound_not_the_mean() -> None:
    name, sentence = recommend(RUNGS, 0.05, "exact", "base")
    assert name == "kl", "the bound of ewc is 0.065"
    assert sentence.startswith("Take `kl`: it gains +45.0 points (+35.0 to +55.0) on base")
    assert "shown to be within the limit of 0.05" in sentence
    assert recommend(RUNGS, 0.07, "exact", "base")[0] == "ewc"


def test_runners_up_within_the_interval_are_named() -> None:
    assert "cannot tell its gain from that of `kl`" in recommend(RUNGS, 0.07, "exact", "base")[1]


def test_where_none_is_shown_to_be_within_the_limit_the_measured_ones_count_then_the_least() -> None:
    assert recommend(RUNGS, 0.025, "exact", "base")[0] == "kl"
    name, sentence = recommend(RUNGS, 0.001, "exact", "base")
    assert name == "l2"
    assert "not within the limit" in sentence


def test_what_the_memory_check_calls_forgotten_is_not_taken() -> None:
    forgotten = [replace(one, memory="FORGOTTEN") if one.name == "kl" else one for one in RUNGS]
    assert recommend(forgotten, 0.05, "exact", "base")[0] == "l2"


def test_the_record_survives_its_file_and_can_be_drawn() -> None:
    name, sentence = recommend(RUNGS, 0.05, "exact", "base")
    ladder = Ladder("exact", "base", "95 %", 0.05, with_front(RUNGS), (), name, sentence)
    assert Ladder.from_json(ladder.to_json()) == ladder
    picture = str(ladder_picture(ladder))
    assert all(f">{one.name}</text>" in picture for one in RUNGS)
