"""Which labels the specialist takes for which."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from burnish.core.records import Item
from burnish.evals.effects.table import Table
from burnish.evals.wording import visible
from burnish.graders.label import predicted_label

MOST_LABELS = 20  # in a matrix that can be read
MOST_PAIRS = 20
NONE = "(no label)"
SHADES = 5


@dataclass(frozen=True)
class Cell:
    """How many, and how dark: 0 to 5, by the share of the row."""

    count: int
    shade: int
    right: bool


@dataclass(frozen=True)
class Matrix:
    """Rows are expected labels, columns what the answers name."""

    labels: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def _named(items: Sequence[Item], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Expected and predicted label of each item, as the task spells them."""
    spelt = {predicted_label(label, labels): label for label in labels}
    return [
        (
            spelt.get(predicted_label(item.expected or "", labels), item.expected or ""),
            spelt.get(predicted_label(item.output, labels), NONE),
        )
        for item in items
    ]


def confusion_matrix(items: Sequence[Item], labels: Sequence[str]) -> Matrix | None:
    """The counts; None where there are too many labels, or none."""
    pairs = Counter(_named(items, labels))
    expected = sorted({wanted for wanted, _ in pairs})
    if not 1 < len(expected) <= MOST_LABELS:
        return None
    others = sorted({given for _, given in pairs} - {*expected, NONE})
    columns = [*expected, *others][: MOST_LABELS + 1]
    columns += [NONE] if any(given == NONE for _, given in pairs) else []
    rows = []
    for wanted in expected:
        total = sum(count for (label, _), count in pairs.items() if label == wanted)
        counts = [pairs[wanted, given] for given in columns]
        rows.append(tuple(_cell(count, total, wanted == given) for count, given in zip(counts, columns, strict=True)))
    return Matrix(tuple(map(visible, columns)), tuple(rows))


def _cell(count: int, total: int, right: bool) -> Cell:
    return Cell(count, math.ceil(SHADES * count / total) if total else 0, right)


def confusion_table(items: Sequence[Item], base: Sequence[Item], labels: Sequence[str]) -> Table | None:
    """The commonest confusions of the specialist, and how often the base model has the same; None without any."""
    pairs = Counter(pair for pair in _named(items, labels) if pair[0] != pair[1])
    before = Counter(_named(base, labels))
    rows = tuple(
        (wanted, given, str(count), str(before[wanted, given]))
        for (wanted, given), count in pairs.most_common(MOST_PAIRS)
    )
    left = len(pairs) - len(rows)
    remark = f"{left} rarer confusions are not shown." if left > 0 else ""
    head = ("expected", "the specialist says", "times", "base says so")
    return Table("Commonest confusions", head, rows, remark) if rows else None
