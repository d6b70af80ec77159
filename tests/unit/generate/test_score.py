"""Log-probabilities of given texts against reading each alone, by the definition."""

from __future__ import annotations

import pytest
import torch

from burnish.core.errors import DataError
from burnish.generate.score import Choices, hidden_states, score_choices, text_loss
from tests.unit.generate.decoders import KINDS, make_decoder, next_logprobs, random_tokens


def questions() -> list[Choices]:
    """Under one shared beginning and alone; choices of several lengths, of one token, of none, and no choices."""
    shared = random_tokens(0, 45)
    lengths = [(1, 4, 2), (3, 3), (1, 1, 1, 1), (5, 0), (), (9, 1)]
    prompts = [shared + random_tokens(1, 5), random_tokens(2, 8), shared + random_tokens(3, 11), random_tokens(4, 1),
               random_tokens(5, 3), shared + random_tokens(1, 5)]  # fmt: skip
    return [
        Choices(prompt, tuple(random_tokens(100 * number + length, length) for length in of))
        for number, (prompt, of) in enumerate(zip(prompts, lengths, strict=True))
    ]


def score_naively(kind: str, prompt: tuple[int, ...], continuation: tuple[int, ...]) -> float:
    """log p of a continuation from reading prompt and continuation as one text."""
    following = next_logprobs(make_decoder(kind), prompt + continuation)
    return sum(float(following[len(prompt) - 1 + at, token]) for at, token in enumerate(continuation))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tokens_per_pass", [2048, 30, 1])
def test_choices_score_as_if_each_were_read_alone(kind: str, tokens_per_pass: int) -> None:
    scores = score_choices(make_decoder(kind), questions(), tokens_per_pass=tokens_per_pass)
    for question, found in zip(questions(), scores, strict=True):
        expected = [score_naively(kind, question.prompt, continuation) for continuation in question.continuations]
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tokens_per_pass", [2048, 30])
def test_the_loss_of_a_text_is_that_of_all_its_tokens_but_the_first(kind: str, tokens_per_pass: int) -> None:
    texts = [random_tokens(seed, length) for seed, length in enumerate((20, 1, 0, 33, 2, 20))]
    losses = text_loss(make_decoder(kind), texts, tokens_per_pass=tokens_per_pass)
    assert [count for _, count in losses] == [19, 0, 0, 32, 1, 19]
    for text, (nats, _) in zip(texts, losses, strict=True):
        expected = -score_naively(kind, text[:1], text[1:]) if text else 0.0
        assert nats == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tokens_per_pass", [2048, 30])
def test_hidden_states_of_many_texts_give_the_distributions_of_each_alone(kind: str, tokens_per_pass: int) -> None:
    decoder = make_decoder(kind)
    texts = [random_tokens(seed, length) for seed, length in enumerate((20, 1, 33, 2))]
    for text, hidden_T_D in zip(texts, hidden_states(decoder, texts, tokens_per_pass=tokens_per_pass), strict=True):
        found = (hidden_T_D @ decoder.head_weight.T).log_softmax(-1)
        torch.testing.assert_close(found, next_logprobs(decoder, text), atol=1e-9, rtol=0)


def test_bfloat16_scores_are_near_those_of_float64() -> None:
    exact = score_choices(make_decoder("qwen3"), questions())
    rough = score_choices(make_decoder("qwen3", torch.bfloat16), questions())
    for one, other in zip(exact, rough, strict=True):
        assert other == pytest.approx(one, rel=0.05, abs=0.5)


def test_nothing_to_score_is_an_empty_list() -> None:
    decoder = make_decoder("llama")
    assert score_choices(decoder, []) == []
    assert text_loss(decoder, []) == []


def test_what_cannot_be_scored_is_named() -> None:
    decoder = make_decoder("llama")
    fine = Choices((1,), ((2,),))
    with pytest.raises(DataError) as caught:
        score_choices(decoder, [fine, Choices((), ((2,),))])
    assert caught.value.where == "question 1"
    with pytest.raises(DataError) as caught:
        score_choices(decoder, [fine, Choices(random_tokens(0, 250), ((2,), random_tokens(1, 7)))])
    assert caught.value.seen == "257 of 256 tokens"
    with pytest.raises(DataError) as caught:
        text_loss(decoder, [(1, 2), random_tokens(0, 257)])
    assert caught.value.where == "text 1"
