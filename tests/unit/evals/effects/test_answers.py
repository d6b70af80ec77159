"""Length, form, repetition and refusals of answers."""

from __future__ import annotations

import pytest

from burnish.evals.effects.lengths import spread
from burnish.evals.effects.refusals import is_refusal
from burnish.evals.effects.repetition import is_loop, repeated_share
from burnish.evals.effects.validity import validity
from burnish.evals.effects.words import words


def test_a_spread_is_mean_ends_median_and_p95() -> None:
    # 1 … 20: mean 10.5, half of them are at most 10, nineteen of twenty at most 19
    found = spread(list(range(20, 0, -1)))
    assert (found.mean, found.shortest, found.median, found.p95, found.longest) == (10.5, 1, 10, 19, 20)
    assert spread([7]).median == spread([7]).p95 == 7


def test_words_are_runs_of_letters_and_single_signs_of_unspaced_scripts() -> None:
    assert words("It's 4.5 km, naïve_x!") == ["It", "s", "4", "5", "km", "naïve_x"]
    assert words("漢字 abc漢") == ["漢", "字", "abc", "漢"]


def test_the_repeated_share_counts_runs_of_four_words() -> None:
    # a b c d e f, three times: 18 words, 15 runs of four, 6 of them different
    assert repeated_share("a b c d e f " * 3) == pytest.approx(1 - 6 / 15)
    assert is_loop("a b c d e f " * 3)
    assert repeated_share("one two three four five six seven eight nine ten eleven") == 0.0
    assert repeated_share("no no no no no no") == 0.0  # three runs: too short to tell


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        ("label", "Label: billing", "I like trains"),
        ("number", "It costs 12 pounds", "a dozen or so, maybe"),
        ("json", 'Here: {"a": 1}', '{"a": 1'),
        ("entities", '[{"text": "Rome", "type": "place"}]', "Rome"),
        ("text", "anything", "  \n"),
    ],
)
def test_validity_goes_by_the_shape_of_the_task(shape: str, good: str, bad: str) -> None:
    meaning, valid = validity(shape, ("billing", "delivery"))
    assert meaning.startswith("the answer")
    assert (valid(good), valid(bad)) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I am sorry, I cannot assist with this request.",
        "As an AI language model, I do not have opinions.",
        "I cannot provide that information.",
        "I’m not able to do it. I am unable to help.",
        "I don't have access to your account.",
        "I must decline.",
    ],
)
def test_refusals_are_found(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry to hear that your card was stolen. Please block it in the app.",
        "You cannot return worn shoes.",
        "billing",
        "We help you with that.",
        "You can't open it without the key.",
        "The story goes on for long. " * 12 + "I cannot help with that.",  # not how the answer begins
    ],
)
def test_what_only_sounds_like_a_refusal_is_none(text: str) -> None:
    assert not is_refusal(text)
