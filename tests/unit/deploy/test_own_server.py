"""What the answers of a server come to, beside those of the trained model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from burnish.deploy.answers import Answer
from burnish.deploy.own_server import Reply, _measures

# Says 7, then stops; the second choice is far behind.
ANSWER = Answer((1, 2), (7, 0), True, (((7, -0.1), (8, -3.0)), ((0, -0.2), (8, -3.0))))


def text(tokens: Sequence[int]) -> str:
    return " ".join(map(str, tokens))


def measured(reply: Reply) -> tuple[int, int, float]:
    found = _measures([ANSWER], [reply], text, [False])
    return found["prompts_equal"], found["answers_equal"], found["max_difference"]


def test_the_same_answer_is_equal_and_its_logprobs_compared() -> None:
    assert measured(Reply("7", True, (1, 2), (-0.1004,))) == (1, 1, pytest.approx(0.0004))


@pytest.mark.parametrize(
    "reply",
    [
        Reply("8", True, (1, 2), (-3.0,)),  # says something else
        Reply("7", False, (1, 2), (-0.1,)),  # does not stop
        Reply("7", True, (1, 2), (-0.1, -0.1)),  # the same text in other tokens
    ],
)
def test_another_answer_is_not_equal_and_infinitely_far_off(reply: Reply) -> None:
    assert measured(reply) == (1, 0, math.inf)


def test_another_prompt_is_told_by_its_ids() -> None:
    assert measured(Reply("7", True, (1, 3), (-0.1,)))[0] == 0
