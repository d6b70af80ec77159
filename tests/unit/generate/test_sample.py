"""Draws: reproducible, and distributed as the model says."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import chisquare, kstest

from burnish.generate.request import Request
from burnish.generate.sample import alternatives, changed_logits, choose, draw, nucleus, uniform


def test_temperature_zero_takes_the_most_probable_token() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [5.0, 2.0, 1.0]])
    tokens, logprobs = choose(logits, [0.0, 0.0], [1, 2], [3, 4])
    assert tokens == [1, 0]
    # log(e² / (1 + e² + e)) = 2 - log(1 + 7.389 + 2.718) = -0.4076
    assert logprobs[0] == pytest.approx(-0.4076, abs=1e-4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_probabilities(temperature: float) -> None:
    logits, count = torch.tensor([1.0, 0.0, -1.0, 0.5]), 20_000
    tokens, _ = choose(logits.expand(count, 4), [temperature] * count, [7] * count, range(count))
    observed = torch.bincount(torch.tensor(tokens), minlength=4)
    expected = (logits.double() / temperature).softmax(-1) * count
    assert chisquare(observed.numpy(), expected.numpy()).pvalue > 0.001


def test_the_numbers_are_even_over_positions_and_over_seeds() -> None:
    assert kstest([uniform(5, position) for position in range(5000)], "uniform").pvalue > 0.001
    assert kstest([uniform(seed, 5) for seed in range(5000)], "uniform").pvalue > 0.001
    assert len({uniform(seed, position) for seed in range(50) for position in range(50)}) == 2500


def test_a_draw_depends_on_seed_and_position_alone() -> None:
    logits = torch.randn(6, 50, generator=torch.Generator().manual_seed(0))
    temperatures, seeds, positions = [1.0, 0.0, 1.0, 0.7, 1.0, 1.0], [1, 1, -4, 2, 1, 9], [0, 1, 2, 3, 4, 5]
    together = choose(logits, temperatures, seeds, positions)
    alone = [choose(logits[[row]], temperatures[row:][:1], seeds[row:][:1], positions[row:][:1]) for row in range(6)]
    assert together[0] == [tokens[0] for tokens, _ in alone]
    assert together[1] == pytest.approx([logprobs[0] for _, logprobs in alone])


def test_log_probabilities_are_at_temperature_one() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)]])  # probabilities 1/4 and 3/4
    tokens, logprobs = choose(logits, [0.1], [0], [0])
    assert logprobs[0] == pytest.approx(math.log([0.25, 0.75][tokens[0]]))


def test_an_impossible_token_is_never_drawn() -> None:
    logits = torch.tensor([[float("-inf"), 0.0, float("-inf"), 0.0, float("-inf")]], dtype=torch.float64)
    for number, expected in ((0.0, 1), (0.4999, 1), (0.5, 3), (1 - 2**-53, 3)):
        assert draw(logits, torch.tensor([[number]], dtype=torch.float64)).item() == expected


def test_the_nucleus_is_the_fewest_tokens_that_hold_the_share() -> None:
    # probabilities 0.1, 0.5, 0.15, 0.25: 0.5 alone holds 0.4; 0.5 + 0.25 holds 0.75, and one more is needed for 0.76
    logits = torch.tensor([0.1, 0.5, 0.15, 0.25], dtype=torch.float64).log()
    kept = {share: nucleus(logits, share).isfinite().nonzero()[:, 0].tolist() for share in (0.4, 0.74, 0.76, 0.999)}
    assert kept == {0.4: [1], 0.74: [1, 3], 0.76: [1, 2, 3], 0.999: [0, 1, 2, 3]}
    tokens, _ = choose(logits.expand(200, 4), [1.0] * 200, [3] * 200, range(200), top_p=dict.fromkeys(range(200), 0.74))
    assert set(tokens) == {1, 3}


def test_penalties_are_taken_off_once_and_for_each_time() -> None:
    request = Request((1,), 5, presence_penalty=0.5, frequency_penalty=0.25, bias=((0, 2.0),))
    # token 2 stands twice: 0 - 0.5 - 2 · 0.25 = -1; token 1 once: 0 - 0.5 - 0.25 = -0.75; token 0 is biased by 2
    assert changed_logits(torch.zeros(4), request, [2, 1, 2]).tolist() == [2.0, -0.75, -1.0, 0.0]


def test_alternatives_are_the_most_probable_with_their_probabilities() -> None:
    logits = torch.tensor([0.2, 0.5, 0.3, 9.0]).log()
    found = alternatives(torch.tensor([0.2, 0.5, 0.3]).log(), 2)
    assert [(token, round(math.exp(logprob), 6)) for token, logprob in found] == [(1, 0.5), (2, 0.3)]
    assert [token for token, _ in alternatives(logits, 9, tokens=3)] == [1, 2, 0]
