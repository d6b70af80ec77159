"""The measures, by hand on answers of two or three tokens."""

from __future__ import annotations

import math

import pytest

from burnish.core.files import dump_json
from burnish.deploy.answers import Answer, Place
from burnish.deploy.parity import (
    EXACT,
    LIMITS,
    answer_measures,
    divergence,
    finding,
    mean_change,
    prompt_measures,
    score_measures,
    shortfalls,
    without_effect,
)

SURE: Place = ((7, -0.1), (8, -3.0))
TIE: Place = ((7, -0.7), (8, -0.7005))  # ahead by 0.0005 nats: less than a choice
ANSWER = Answer(prompt=(1, 2), tokens=(7, 7, 9), stopped=True, places=(SURE, TIE, ((9, -0.2), (7, -2.0))))


def places(*logprobs: float) -> list[Place]:
    return [((token, logprob), (3, -9.0)) for token, logprob in zip(ANSWER.tokens, logprobs, strict=True)]


def test_differences_and_the_share_of_the_effect() -> None:
    # Reference -0.1, -0.7, -0.2; base a nat lower each, so training gained 3; the form lost 0.3 of it in one token.
    found = score_measures([ANSWER], [places(-0.1, -1.0, -0.2)], [places(-1.1, -1.7, -1.2)])
    assert found["tokens"] == 3
    assert found["top1_agreement"] == 1
    assert found["mean_difference"] == pytest.approx(0.1)
    assert found["max_difference"] == pytest.approx(0.3)
    assert found["effect_kept"] == pytest.approx(0.9)


def test_no_share_is_stated_of_an_effect_that_is_not_there() -> None:
    same = places(-0.1, -0.7, -0.2)
    assert score_measures([ANSWER], [same], [same])["effect_kept"] is None


def test_another_token_at_a_near_tie_agrees_and_is_counted() -> None:
    other: Place = ((8, -0.7), (7, -0.7001))
    found = score_measures([ANSWER], [[SURE, other, ANSWER.places[2]]], [places(-1, -1, -1)])
    assert (found["top1_agreement"], found["near_ties"]) == (1, 1)
    found = score_measures([ANSWER], [[((8, -0.1), (7, -0.2)), TIE, ANSWER.places[2]]], [places(-1, -1, -1)])
    assert (found["top1_agreement"], found["near_ties"]) == (2 / 3, 0)
    # The reference leads by 2.9 nats there: a tie for nobody, unless a form is allowed as much.
    other = ((8, -0.1), (7, -0.2))
    found = score_measures([ANSWER], [[other, TIE, ANSWER.places[2]]], [places(-1, -1, -1)], near_tie=3.0)
    assert (found["top1_agreement"], found["near_ties"]) == (1, 1)


def test_a_token_that_a_form_does_not_list_has_at_most_its_least_probability() -> None:
    found = score_measures([ANSWER], [[((5, -0.1), (6, -4.1)), TIE, ANSWER.places[2]]], [places(-1, -1, -1)])
    assert found["max_difference"] == pytest.approx(4.0)


def test_divergence_counts_all_other_tokens_as_one() -> None:
    # p = (1/2, 1/4, rest 1/4), q = (1/4, 1/2, rest 1/4): KL = 1/2 ln 2 + 1/4 ln 1/2 + 0 = 1/4 ln 2.
    p = ((1, math.log(0.5)), (2, math.log(0.25)))
    q = ((2, math.log(0.5)), (1, math.log(0.25)))
    assert divergence(p, q) == pytest.approx(math.log(2) / 4)
    assert divergence(p, p) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("tokens", "stopped", "equal", "ties"),
    [
        ((7, 7), True, 1, 0),
        ((7, 8, 4), False, 1, 1),  # another way from the near tie on
        ((8, 7), True, 0, 0),
        ((7, 7), False, 0, 0),  # did not stop
        ((7, 7, 9), True, 0, 0),
        ((7,), True, 1, 1),  # stopped at the near tie
    ],
)
def test_equal_answers(tokens: tuple[int, ...], stopped: bool, equal: int, ties: int) -> None:
    found = answer_measures([ANSWER], [(tokens, stopped)])
    assert (found["answers_equal"], found["answers_with_near_tie"]) == (equal, ties)


def test_prompts_with_the_text_of_a_special_token_are_counted_apart() -> None:
    found = prompt_measures([ANSWER, ANSWER, ANSWER], [[1, 2], None, [1]], [False, False, True])
    assert found == {"prompts": 2, "prompts_equal": 1, "prompts_with_special_text": 1}


def test_a_measure_that_is_not_a_number_fails_and_can_be_written() -> None:
    found = finding(score_measures([ANSWER], [places(math.nan, -1, -1)], [places(-1, -1, -1)]), LIMITS["q4_0"])
    assert found["status"] == "failed"
    dump_json(found)


def test_what_falls_short_is_named() -> None:
    good = {"top1_agreement": 1.0, "mean_difference": 0.0, "max_difference": 0.0, "effect_kept": None}
    assert shortfalls(good | {"answers": 2, "answers_equal": 2, "prompts": 2, "prompts_equal": 2}, EXACT) == []
    assert shortfalls(good | {"answers": 2, "answers_equal": 1}, EXACT) == ["1 of 2 answers are equal"]
    assert shortfalls(good | {"answers": 2, "answers_equal": 1}, LIMITS["q8_0"]) == []
    assert (
        len(shortfalls(good | {"top1_agreement": 0.5, "effect_kept": 0.2, "prompts": 1, "prompts_equal": 0}, EXACT))
        == 3
    )


def test_an_adapter_s_change_is_the_mean_over_tokens() -> None:
    # (0.3 + 0 + 0.6) / 3
    assert mean_change([ANSWER], [places(-0.1, -1.0, -0.2)], [places(-0.4, -1.0, -0.8)]) == pytest.approx(0.3)


def test_an_engine_in_which_the_adapter_changes_too_little_serves_the_base() -> None:
    passed = finding({"top1_agreement": 1.0}, EXACT)
    assert without_effect(passed, 0.9, 1.0)["status"] == "passed"
    for change in (0.0, 0.4, math.nan):
        line = without_effect(passed, change, 1.0)
        assert (line["status"], line["why"]) == ("failed", "the adapter changes nothing")
    assert without_effect(passed, 0.0, 0.0)["status"] == "failed"
