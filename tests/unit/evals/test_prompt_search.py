"""The search is a pure function of what the candidates answer, so answers are given by rules instead of a model."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from burnish.core.records import Chat, Message
from burnish.evals.prompt_examples import make_examples
from burnish.evals.prompt_search import FEWEST_DEV_ROWS, Choice, affordable_rows, choose_prompt, forest_tokens
from burnish.evals.prompts import Candidate, PromptMaker, candidates
from burnish.render.renderer import make_renderer
from tests.tiny import make_tokenizer

TRAIN = [Chat(str(n), (Message("user", f"question {n}"), Message("assistant", "yes"))) for n in range(30)]
DEV = [Chat(f"d{n}", (Message("user", f"asked {n}"), Message("assistant", "yes"))) for n in range(24)]


@pytest.fixture(scope="module")
def maker() -> PromptMaker:
    return PromptMaker(make_renderer(make_tokenizer()), {"written": "Say it."}, make_examples(TRAIN, "label", 0), 4000)


def search(maker: PromptMaker, tried: Sequence[Candidate], good: str) -> tuple[Choice, list[int], list[str]]:
    """A model that answers rightly where the prompt's text holds `good`; also how many prompts each round had."""
    rounds: list[int] = []
    said: list[str] = []

    def score(prompts: Sequence[list[int]], rows: Sequence[Chat]) -> list[float]:
        rounds.append(len(prompts))
        return [float(good in maker.renderer.tokenizer.decode(prompt)) for prompt in prompts]

    choice = choose_prompt(
        maker,
        tried,
        DEV,
        answer_tokens=1,
        score=score,
        say=said.append,
    )
    return choice, rounds, said


def test_a_shared_beginning_is_counted_once() -> None:
    assert forest_tokens([(1, 2, 3, 4), (1, 2, 3, 5), (1, 2, 9), (7,)]) == 4 + 1 + 1 + 1
    assert forest_tokens([]) == 0
    assert forest_tokens([(1, 2), (1, 2), (1,)]) == 2


def test_the_candidate_that_answers_best_wins(maker: PromptMaker) -> None:
    choice, _, said = search(maker, candidates(["written"], 16), "Input: ")
    assert choice.winner == Candidate(4, "nearest", "message", "written")
    assert choice.trials[0].score == 1.0
    assert choice.trials[0].rows == 24
    assert any("4 nearest examples" in line for line in said)


def test_of_equally_good_prompts_the_shortest_wins(maker: PromptMaker) -> None:
    choice, _, _ = search(maker, candidates(["written"], 16), "asked")
    assert choice.winner == Candidate(0, layout="message", wording="written")


def test_better_candidates_answer_more_rows(maker: PromptMaker) -> None:
    tried = candidates(["written"], 16)
    choice, rounds, _ = search(maker, tried, "Say it.")
    # 24 rows: all answer 6, the best four 6 more, the best two the other 12
    assert rounds == [6 * len(tried), 6 * 4, 12 * 2]
    assert sorted({trial.rows for trial in choice.trials}) == [6, 12, 24]


def test_few_rows_of_dev_are_enough_to_choose(maker: PromptMaker) -> None:
    for rows in (1, 3, 7):
        choice = choose_prompt(
            maker,
            candidates(["written"], 2),
            DEV[:rows],
            answer_tokens=1,
            score=lambda prompts, rows: [1.0] * len(prompts),
            say=lambda line: None,
        )
        assert choice.trials[0].rows == rows


def test_long_answers_are_tried_on_fewer_rows(maker: PromptMaker) -> None:
    tried = candidates(["written"], 16)
    assert affordable_rows(maker, tried, DEV, 1) == 24
    assert affordable_rows(maker, tried, DEV, 400) < 24
    assert affordable_rows(maker, tried, DEV, 10**6) == FEWEST_DEV_ROWS
