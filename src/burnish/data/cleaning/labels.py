"""Sets whose answers are labels: one prompt with different ones, and labels of very unequal counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from burnish.core.records import Chat, Row
from burnish.data.cleaning.features import KINDS, Features, answer_side
from burnish.data.cleaning.outcome import Observation, Verdict
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.shape import MOST_LABELS, NEARLY_ALL

UNBALANCED = 10  # rows of the commonest label for one of the rarest
FEW_ROWS = 5  # of a label: too few to learn from and to be tested
SHOWN_CHARACTERS = 60


def are_label_rows(features: Features) -> bool:
    """Whether nearly all rows are conversations that end on a label: the rule of `shape.are_labels`, on hashes."""
    labelled = features["short"] & (features["kind"] == KINDS.index(Chat))
    if not len(features) or np.count_nonzero(labelled) < NEARLY_ALL * len(features):
        return False
    _, counts = np.unique(features["answer"][labelled], return_counts=True)
    return len(counts) <= MOST_LABELS and 3 * np.count_nonzero(counts == 1) <= counts.sum()


def contradictions(features: Features, settings: CleanSettings, row_at: Callable[[int], Row]) -> list[Verdict]:
    """Rows whose prompt, up to case, spacing and punctuation, stands with another label elsewhere."""
    verdicts: list[Verdict] = []
    for rows in _rows_by_prompt(features):
        answers = features["answer"][rows]
        kept = _leading(answers)
        for place, index in enumerate(rows.tolist()):
            other = row_at(int(rows[np.flatnonzero(answers != answers[place])[0]]))
            detail = f"{_shown(row_at(index))} here, {_shown(other)} at {other.source}"
            dropped = settings.contradiction == "drop" or (
                settings.contradiction == "majority" and answers[place] != kept
            )
            verdicts.append(Verdict(index, "contradictory_answer", detail, drop=dropped))
    return verdicts


def _rows_by_prompt(features: Features) -> Iterator[NDArray[np.intp]]:
    """The rows of each prompt that has more than one answer, in the order of the first."""
    order = np.lexsort((np.arange(len(features)), features["prompt"]))
    prompts = features["prompt"][order]
    starts = np.flatnonzero(np.r_[True, prompts[1:] != prompts[:-1]])
    groups = [rows for rows in np.split(order, starts[1:]) if len(np.unique(features["answer"][rows])) > 1]
    yield from sorted(groups, key=lambda rows: int(rows[0]))


def _leading(answers: NDArray[np.uint64]) -> np.uint64 | None:
    """The answer that more rows give than any other, None where several are equally common."""
    found, counts = np.unique(answers, return_counts=True)
    leading = found[counts == counts.max()]
    return leading[0] if len(leading) == 1 else None


def balance(features: Features, row_at: Callable[[int], Row]) -> list[Observation]:
    """Whether some labels have far more rows than others, with what follows from it."""
    _, first, counts = np.unique(features["answer"], return_index=True, return_counts=True)
    most, least = int(np.argmax(counts)), int(np.argmin(counts))
    few = int(np.count_nonzero(counts < FEW_ROWS))
    if len(counts) < 2 or (counts[most] < UNBALANCED * counts[least] and not few):
        return []
    parts = [
        f"{_shown(row_at(int(first[most])))} has {counts[most]} of {counts.sum()} rows, "
        f"{_shown(row_at(int(first[least])))} has {counts[least]}: always saying the first is right "
        f"{counts[most] / counts.sum():.0%} of the time"
    ]
    if few:
        parts.append(f"{few} of {len(counts)} labels have fewer than {FEW_ROWS} rows, too few to learn and to test")
    return [Observation("unbalanced_labels", "; ".join(parts))]


def _shown(row: Row) -> str:
    answer = answer_side(row).strip()
    return repr(answer if len(answer) <= SHOWN_CHARACTERS else answer[:SHOWN_CHARACTERS] + "…")
