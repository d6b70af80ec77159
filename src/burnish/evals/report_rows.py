"""The rows that the report shows side by side: those the specialist won and lost, then those that changed nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from burnish.core.records import Item
from burnish.evals.paired_items import Suite, suite_of
from burnish.evals.wording import PERCENT, in_percent, visible

MOST_ROWS = 300  # of the task; a browser on a phone still scrolls through them
MOST_OF_SUITE = 40
MOST_PER_GROUP = 100
LONGEST = 1_500  # characters of a text
MOST_CHARACTERS = 1_500_000  # of all rows together: the page stays a file that one can send

KINDS = {
    "won": "Won",
    "lost": "Lost",
    "right": "Both right",
    "wrong": "Both wrong",
    "same": "Same score",
}


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

    @property
    def characters(self) -> int:
        return len(self.prompt) + len(self.expected) + sum(len(answer.text) for answer in self.answers)


@dataclass(frozen=True)
class Group:
    """Rows of one suite with the same outcome: `rows` of them are shown, `total` there are."""

    suite: str
    title: str
    kind: str
    total: int
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Compared:
    """What is shown of one suite: the score that decides, and the arms, the specialist last."""

    suite: str
    metric: str
    higher_is_better: bool
    arms: tuple[str, ...]
    most_rows: int = MOST_OF_SUITE


def clipped(text: str) -> str:
    """Visible text, cut where it is very long."""
    shown = visible(text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} … ({len(shown):,} characters in all)"


def row_groups(items: Sequence[Item], compared: Sequence[Compared]) -> tuple[Group, ...]:
    """Won, lost and equal rows of each suite, each against the best opponent, the largest differences first.

    Raises DataError: the arms did not answer the same items.
    """
    room = MOST_CHARACTERS
    groups = []
    for group in (group for one in compared for group in _suite_groups(suite_of(items, one.suite, one.arms), one)):
        shown: list[Row] = []
        for row in group.rows:
            room -= row.characters
            if room < 0:
                break
            shown.append(row)
        groups.append(Group(group.suite, group.title, group.kind, group.total, tuple(shown)))
    return tuple(groups)


def _suite_groups(suite: Suite, compared: Compared) -> Iterator[Group]:
    sign = 1.0 if compared.higher_is_better else -1.0
    *opponents, specialist = compared.arms
    by_opponent = [suite.scores(opponent, compared.metric) for opponent in opponents]
    best = [max(sign * score for score in scores) for scores in zip(*by_opponent, strict=True)]
    ours = [sign * score for score in suite.scores(specialist, compared.metric)]
    places: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for place in sorted(range(len(ours)), key=lambda place: -abs(ours[place] - best[place])):
        places[_kind(ours[place], best[place])].append(place)
    room = compared.most_rows
    for kind, found in places.items():
        most = min(room, MOST_PER_GROUP, compared.most_rows // 3 if kind in ("won", "lost") else room)
        room -= min(most, len(found))
        if found:
            rows = tuple(_row(suite, place, compared) for place in found[:most])
            yield Group(suite.name, KINDS[kind], kind, len(found), rows)


def _kind(ours: float, theirs: float) -> str:
    if ours != theirs:
        return "won" if ours > theirs else "lost"
    return {1.0: "right", 0.0: "wrong"}.get(ours, "same")


def _row(suite: Suite, place: int, compared: Compared) -> Row:
    answers = [suite.arms[arm][place] for arm in compared.arms]
    first = answers[0]
    return Row(
        id=visible(first.id),
        prompt=clipped(first.prompt),
        expected=clipped(first.expected or ""),
        answers=tuple(_answer(item, compared.metric) for item in answers),
    )


def _answer(item: Item, metric: str) -> Answer:
    score = float(item.scores[metric])
    if metric == "judged":
        words = {1.0: "judged better than the specialist", -1.0: "judged worse than the specialist"}
        return Answer(item.arm, clipped(item.output), words.get(score, ""), "")
    mark = {0.0: "wrong", 1.0: "right"}.get(score, "") if in_percent(metric) else ""
    shown = f"{100 * score:.0f}{PERCENT}" if in_percent(metric) else f"{score:.3f}"
    return Answer(item.arm, clipped(item.output), shown, mark)
