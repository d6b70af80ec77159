"""Chooses the prompted opponent on dev. It is to be as strong as a patient person would make it.

Successive halving (Jamieson & Talwalkar 2016, arXiv 1502.07943): all candidates answer a few dev rows, the better ones
answer more. Costs are counted in tokens, not in seconds, so that the choice is a pure function of data and settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from burnish.core.records import Chat
from burnish.evals.prompts import Candidate, PromptMaker

MOST_DEV_ROWS = 40
FEWEST_DEV_ROWS = 20  # on fewer the choice would be luck, whatever it costs
TOKEN_BUDGET = 50_000  # about a minute for 135 million weights on two cores
ANSWER_TOKEN_COST = 2  # a generated token takes about as long as two of a prompt
SURVIVORS = (4, 2)  # after a quarter of the rows, and after half

# prompts in tokens, their rows → the score that the verdict is about, turned so that more is better
Score: TypeAlias = Callable[[Sequence[list[int]], Sequence[Chat]], list[float]]


@dataclass(frozen=True)
class Trial:
    """What one candidate reached on the first `rows` of dev; `tokens` is the mean length of its prompts."""

    candidate: Candidate
    score: float
    rows: int
    tokens: float

    def to_json(self) -> dict[str, Any]:
        return {**self.candidate.to_json(), "score": self.score, "rows": self.rows, "tokens": round(self.tokens, 1)}


def forest_tokens(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens are computed when shared beginnings are computed once."""
    total, before = 0, tuple[int, ...]()
    for prompt in sorted(tuple(prompt) for prompt in prompts):
        shared = next((i for i, (a, b) in enumerate(zip(prompt, before, strict=False)) if a != b), len(before))
        total += len(prompt) - shared
        before = prompt
    return total


@dataclass(frozen=True)
class Choice:
    """The prompt that did best on dev, and all that were tried, best first."""

    winner: Candidate
    trials: tuple[Trial, ...]


def choose_prompt(
    maker: PromptMaker,
    tried: Sequence[Candidate],
    dev: Sequence[Chat],
    *,
    answer_tokens: int,
    score: Score,
    say: Callable[[str], None],
) -> Choice:
    """The candidate with the best mean score on dev; of equal ones that with the shorter prompt.

    `answer_tokens`: how long an answer may become.
    """
    rows = dev[: affordable_rows(maker, tried, dev, answer_tokens)]
    trials: dict[Candidate, Trial] = {candidate: Trial(candidate, 0.0, 0, 0.0) for candidate in tried}
    left = list(tried)
    for upto, survivors in zip(_rungs(len(rows)), (*SURVIVORS, 1), strict=True):
        say(f"choosing the prompt on dev: {len(left)} ways, {upto} rows each")
        _extend(trials, left, rows[:upto], maker, score)
        left = sorted(left, key=lambda candidate: _rank(trials[candidate]))[:survivors]
        best = trials[left[0]]
        say(f"  best so far: {best.candidate.name} ({best.score:.3f})")
    ranked = sorted(trials.values(), key=lambda trial: (-trial.rows, _rank(trial)))
    return Choice(left[0], tuple(ranked))


def _rungs(rows: int) -> tuple[int, int, int]:
    return max(rows // 4, min(rows, 5)), max(rows // 2, min(rows, 5)), rows


def _rank(trial: Trial) -> tuple[float, float]:
    return -trial.score, trial.tokens


def _extend(
    trials: dict[Candidate, Trial],
    left: Sequence[Candidate],
    rows: Sequence[Chat],
    maker: PromptMaker,
    score: Score,
) -> None:
    """Lets each candidate that is left answer the rows that it has not answered yet: all in one go, as one forest."""
    asked = [(candidate, row) for candidate in left for row in rows[trials[candidate].rows :]]
    prompts = [maker.prompt(candidate, row) for candidate, row in asked]
    scores = score(prompts, [row for _, row in asked])
    for candidate in left:
        mine = [place for place, (other, _) in enumerate(asked) if other == candidate]
        before, count = trials[candidate], trials[candidate].rows + len(mine)
        total = before.score * before.rows + sum(scores[place] for place in mine)
        tokens = before.tokens * before.rows + sum(len(prompts[place]) for place in mine)
        trials[candidate] = Trial(candidate, total / count, count, tokens / count)


def affordable_rows(maker: PromptMaker, tried: Sequence[Candidate], dev: Sequence[Chat], answer_tokens: int) -> int:
    """How many rows of dev the search may use so that it computes about TOKEN_BUDGET tokens at most.

    Costs are taken from three rows: what their prompts share is computed once, the rest and the answer for every row.
    """
    if not dev:
        return 0
    sample = dev[:3]
    once, each = [], []
    for candidate in tried:
        prompts = [maker.prompt(candidate, row) for row in sample]
        alone = len(prompts[0])
        more = (forest_tokens(prompts) - alone) / max(len(sample) - 1, 1)
        each.append(more + ANSWER_TOKEN_COST * answer_tokens)
        once.append(alone - more)
    each.sort(reverse=True)  # the dearest may survive
    for rows in range(min(MOST_DEV_ROWS, len(dev)), FEWEST_DEV_ROWS, -1):
        first, second, last = _rungs(rows)
        cost = sum(once) + first * sum(each) + (second - first) * sum(each[: SURVIVORS[0]])
        if cost + (last - second) * sum(each[: SURVIVORS[1]]) <= TOKEN_BUDGET:
            return rows
    return min(FEWEST_DEV_ROWS, len(dev))
