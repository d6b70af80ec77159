"""Where the specialist is good and where not: the score by label, by length of the prompt and of the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from burnish.core.records import Item
from burnish.evals.effects.table import Table
from burnish.evals.effects.words import words
from burnish.evals.paired_items import Suite
from burnish.evals.statistics import mean_interval
from burnish.evals.verdict_plan import TaskPlan
from burnish.evals.wording import PERCENT, metric_title, score_text

MOST_SLICES = 20
PARTS = 4  # of lengths: quarters


def slice_tables(suite: Suite, task: TaskPlan, names: Mapping[str, str]) -> list[Table]:
    """A table for each way to cut the task into two parts and more. The specialist is the last arm."""
    items = next(iter(suite.arms.values()))
    cuts: list[tuple[str, list[str], list[str]]] = []
    if task.shape == "label":
        expected = [item.expected or "" for item in items]
        cuts.append(("label", expected, _worst(expected, list(suite.arms.values())[-1], task)))
    cuts.append(("length of the prompt", *_quarters(items, lambda item: item.prompt)))
    if task.shape != "label":
        cuts.append(("length of the expected answer", *_quarters(items, lambda item: item.expected or "")))
    return [_table(cut, member, slices, suite, task, names) for cut, member, slices in cuts if len(slices) > 1]


def _worst(labels: Sequence[str], items: Sequence[Item], task: TaskPlan) -> list[str]:
    """The labels on which an arm does worst, these first."""
    sign = 1.0 if task.higher_is_better else -1.0
    rows, total = Counter(labels), dict.fromkeys(labels, 0.0)
    for label, item in zip(labels, items, strict=True):
        total[label] += sign * float(item.scores[task.metric])
    return sorted(rows, key=lambda label: (total[label] / rows[label], label))[:MOST_SLICES]


def _quarters(items: Sequence[Item], text: Callable[[Item], str]) -> tuple[list[str], list[str]]:
    """The slice of each item by its length in words, and all slices. Equal lengths stay together."""
    lengths = [len(words(text(item))) for item in items]
    ordered = sorted(lengths)
    ends = sorted({ordered[(len(ordered) * part - 1) // PARTS] for part in range(1, PARTS + 1)})
    starts = [ordered[0], *(end + 1 for end in ends[:-1])]
    named = [_range(start, end) for start, end in zip(starts, ends, strict=True)]
    member = [named[next(place for place, end in enumerate(ends) if length <= end)] for length in lengths]
    return member, named


def _range(start: int, end: int) -> str:
    return f"{start} to {end} words" if start < end else f"{end} word{'' if end == 1 else 's'}"


def _table(
    cut: str, member: Sequence[str], slices: Sequence[str], suite: Suite, task: TaskPlan, names: Mapping[str, str]
) -> Table:
    rows = []
    for name in slices:
        places = [place for place, own in enumerate(member) if own == name]
        if places:
            scores = (suite.scores(arm, task.metric) for arm in suite.arms)
            cells = [_mean(task.metric, [score[place] for place in places]) for score in scores]
            rows.append((name, str(len(places)), *cells))
    left = len(set(member)) - len(slices)
    remark = f"The {len(slices)} on which the specialist is worst; {left} more are not shown." if left > 0 else ""
    head = (cut, "rows", *(names[arm] for arm in suite.arms))
    return Table(f"{metric_title(task.metric)} by {cut}", head, tuple(rows), remark)


def _mean(metric: str, scores: Sequence[float]) -> str:
    mean = mean_interval(scores)
    low, high = (score_text(metric, bound).removesuffix(PERCENT) for bound in (mean.low, mean.high))
    return f"{score_text(metric, mean.mean)} ({low} to {high})"
