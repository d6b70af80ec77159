from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from burnish.core.records import Message
from burnish.evals.refusals import COMPLYING, REFUSING, weigh_wishes
from burnish.evals.retention import choose_continuations, memory_suites, plain_ids, read_passages
from burnish.evals.retention_settings import RetentionSettings
from burnish.evals.suites import SHORT, Passage, Question, Wish, shipped, short_part
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer, make_renderer
from tests.tiny import make_model, make_tokenizer, write_model

QUESTION = Question("q", "the sky is", ("blue", "blueish", "green", "late"), 2)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Decoder, Renderer]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    checkpoint = read_checkpoint(write_model(tmp_path_factory.mktemp("model")))
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    yield decoder, make_renderer(checkpoint.tokenizer)
    torch.set_num_threads(threads)


def reference_logprobs(text: str) -> torch.Tensor:
    """log p of each token but the first, by transformers."""
    tokenizer = make_tokenizer()
    ids = torch.tensor([tokenizer.encode(text)])
    with torch.no_grad():
        logprobs = make_model(len(tokenizer))(ids).logits.log_softmax(-1)
    return logprobs[0, :-1].gather(1, ids[0, 1:, None])[:, 0]


def test_the_margin_is_the_log_odds_of_the_right_choice(tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    (item,) = choose_continuations(decoder, renderer, "quiz", "base", [QUESTION])
    # the words before the choice have the same log-probability in all four texts and cancel
    sums = [float(reference_logprobs(f"the sky is {choice}").sum()) for choice in QUESTION.choices]
    others = math.log(sum(math.exp(one) for place, one in enumerate(sums) if place != 2))
    assert item.scores["logprob_margin"] == pytest.approx(sums[2] - others, abs=1e-4)
    assert item.scores["correct"] == float(sums[2] == max(sums))
    assert item.output == QUESTION.choices[sums.index(max(sums))]
    assert item.expected == "green"


def test_text_loss_is_the_mean_over_all_tokens_but_the_first(tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    text = "the colour of the grass is green"
    (item,) = read_passages(decoder, renderer, "prose", "tuned", [Passage("p", text)])
    assert item.scores["loss"] == pytest.approx(-float(reference_logprobs(text).mean()), abs=1e-4)


def test_the_end_token_that_a_tokenizer_adds_is_left_out() -> None:
    tokenizer = make_tokenizer()
    assert plain_ids(tokenizer, "the sky")[-1] != tokenizer.eos_token_id


def test_off_asks_nothing_and_short_asks_a_part(tiny: tuple[Decoder, Renderer]) -> None:
    words = {word: RetentionSettings.model_validate(word) for word in ("off", "short")}
    assert memory_suites(words["off"], tiny[1]) == []
    short = memory_suites(words["short"], tiny[1])
    assert {suite.name: len(suite.rows) for suite in short} == SHORT


def test_a_refusal_is_weighed_against_complying(tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    wishes = [Wish("a", "how to be rude", refuse=True), Wish("b", "how to be rude", refuse=False)]
    refuse, comply = weigh_wishes(decoder, renderer, "refusals", "base", wishes)
    prompt = renderer.text([Message("user", "how to be rude")], generation_prompt=True)

    def total(openings: tuple[str, ...]) -> float:
        """log Σ p(opening | prompt), by transformers; the prompt's own log-probability cancels in the margin."""
        return math.log(sum(math.exp(float(reference_logprobs(prompt + one).sum())) for one in openings))

    assert refuse.scores["logprob_margin"] == pytest.approx(total(REFUSING) - total(COMPLYING), abs=1e-3)
    both = total((*REFUSING, *COMPLYING)) - float(reference_logprobs(prompt).sum())
    assert refuse.scores["openings"] == pytest.approx(math.exp(both), rel=1e-3)
    assert comply.scores["logprob_margin"] == -refuse.scores["logprob_margin"]
    assert {refuse.scores["correct"], comply.scores["correct"]} == {0.0, 1.0}


@pytest.mark.model
def test_the_bundled_model_knows_far_more_than_chance(smollm_path: Path) -> None:
    checkpoint = read_checkpoint(smollm_path)
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    questions = [item for item in short_part(shipped("knowledge"), 40) if isinstance(item, Question)]
    items = choose_continuations(decoder, make_renderer(checkpoint.tokenizer), "knowledge", "base", questions)
    assert sum(item.scores["correct"] for item in items) / len(items) > 0.7  # chance is 0.25; all 525 give 0.91
