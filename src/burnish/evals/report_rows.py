"""The rows that the report shows side by side: those the specialist won and lost, then those that changed nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from burnish.core.records import Item
from burnish.evals.paired_items import suite_of
from burnish.evals.wording import PERCENT, in_percent, visible

MOST_ROWS = 60
MOST_PER_GROUP = 20
LONGEST = 1_500  # characters of a text


@dataclass(frozen=True)
class Answer:
    """One arm's answer. `mark` is right, wrong, or empty where the score is no yes or no."""

    arm: str
    text: str
    score: str
    mark: str


@dataclass(frozen=True)
class Row:
    """One item with all answers."""

    id: str
    prompt: str
    expected: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Group:
    """Rows with the same outcome: `rows` of them are shown, `total` there are."""

    title: str
    kind: str
    total: int
    rows: tuple[Row, ...]


def clipped(text: str) -> str:
    """Visible text, cut where it is very long."""
    shown = visible(text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} … ({len(shown):,} characters in all)"


def _answer(item: Item, metric: str) -> Answer:
    score = float(item.scores[metric])
    if metric == "judged":
        words = {1.0: "judged better than the specialist", -1.0: "judged worse than the specialist"}
        return Answer(item.arm, clipped(item.output), words.get(score, ""), "")
    mark = {0.0: "wrong", 1.0: "right"}.get(score, "")
    shown = f"{100 * score:.0f}{PERCENT}" if in_percent(metric) else f"{score:.3f}"
    return Answer(item.arm, clipped(item.output), shown, mark)


def row_groups(
    items: Sequence[Item], *, specialist: str, opponents: Sequence[str], metric: str, higher_is_better: bool
) -> tuple[Group, ...]:
    """Lost, won and equal rows of the task, each against the best opponent, the largest differences first."""
    suite = suite_of(items, "task", [*opponents, specialist])
    sign = 1.0 if higher_is_better else -1.0
    by_opponent = [suite.scores(opponent, metric) for opponent in opponents]
    best = [max(sign * score for score in scores) for scores in zip(*by_opponent, strict=True)]
    gains = [sign * ours - theirs for ours, theirs in zip(suite.scores(specialist, metric), best, strict=True)]
    order = sorted(range(len(gains)), key=lambda place: -abs(gains[place]))

    def row(place: int) -> Row:
        answers = [suite.arms[arm][place] for arm in (*opponents, specialist)]
        first = answers[0]
        return Row(
            id=visible(first.id),
            prompt=clipped(first.prompt),
            expected=clipped(first.expected or ""),
            answers=tuple(_answer(item, metric) for item in answers),
        )

    won = [place for place in order if gains[place] > 0]
    lost = [place for place in order if gains[place] < 0]
    same = [place for place in order if gains[place] == 0]
    left = MOST_ROWS - min(len(won), MOST_PER_GROUP) - min(len(lost), MOST_PER_GROUP)
    kinds = (("Won", "won", won, MOST_PER_GROUP), ("Lost", "lost", lost, MOST_PER_GROUP), ("Same", "same", same, left))
    return tuple(
        Group(title, kind, len(places), tuple(map(row, places[:most]))) for title, kind, places, most in kinds if places
    )
