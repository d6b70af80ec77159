"""Which rows stay: decisions that need more than one row, on a few numbers a row. Every row left out says why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.records import Dropped, Flagged, Row
from burnish.data.cleaning.features import Features, answer_side, prompt_side
from burnish.data.cleaning.judge import judge
from burnish.data.cleaning.outcome import Observation
from burnish.data.duplicates.blocks import ROUNDS, block_count
from burnish.data.duplicates.cluster import Clusters, clusters, near_duplicates
from burnish.data.duplicates.fingerprint import Fingerprints, exact_duplicates
from burnish.data.duplicates.leaks import leaks
from burnish.data.duplicates.near import NearPairs, near_pairs
from burnish.data.grow.settings import MADE_ID
from burnish.data.intake import PARTS, Collected
from burnish.data.ledger import Ledger
from burnish.data.review.marks import Marks
from burnish.data.settings import DataSettings

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
ROW_ID = re.compile(r"([0-9a-f]{16})(?:$|[.-])")
NAMES_OF_LEAKS = {"dev": "overlaps_dev", "benchmark": "benchmark_item"}


@dataclass
class Selection:
    """All rows, numbered as they were read, and which of them are still there.

    `part_N` indexes PARTS: at first the part that a row's file was named for, after the split the one it stands in.
    `kept_N` marks rows that a person said to keep: no doubt removes them.
    """

    rows: Collected
    features: Features
    fingerprints: Fingerprints
    ledger: Ledger
    alive_N: Mask
    part_N: NDArray[np.int8]
    kept_N: Mask
    leaked: set[int] = field(default_factory=set)  # rows that give the test away and were kept, as the user asked
    observations: list[Observation] = field(default_factory=list)
    unwanted: frozenset[str] = frozenset()  # ids that a person marked to be dropped
    made: Counter[str] = field(default_factory=Counter)  # how → rows more than came in

    def among(self, *parts: str) -> Mask:
        """Which rows are still there and in one of these parts."""
        found: Mask = self.alive_N & np.isin(self.part_N, [PARTS.index(part) for part in parts])
        return found

    def numbers(self, *parts: str) -> Indices:
        """The numbers of those rows, in the order in which they were read."""
        return np.flatnonzero(self.among(*parts))

    def row(self, number: int) -> Row:
        return self.rows.store[int(number)]

    def drop(self, number: int, reason: str, detail: str = "", *, whole: bool = True) -> None:
        """Leaves one row out. Without `whole` the record does not repeat what the row says."""
        row = self.row(number)
        self.alive_N[number] = False
        part = self.rows.sources[self.rows.source_N[number]].part
        self.ledger.drop(part, [Dropped(row.source, reason, detail, row.to_json() if whole else None)])

    def flag(self, number: int, reason: str, detail: str) -> None:
        row = self.row(number)
        part = self.rows.sources[self.rows.source_N[number]].part
        self.ledger.flag(part, [Flagged(row.source, row.id, reason, detail)])


def begin(rows: Collected, ledger: Ledger, marks: Marks) -> Selection:
    """A selection of all rows but those that a person marked to be dropped. A test of the user's own stays as it is."""
    fingerprints, part_N = rows.fingerprints.finish(), rows.parts()
    selection = Selection(
        rows=rows,
        features=rows.features(),
        fingerprints=fingerprints,
        ledger=ledger,
        alive_N=np.ones(len(fingerprints), np.bool_),
        part_N=part_N,
        kept_N=_named(rows, marks.keep),
        unwanted=marks.drop,
    )
    for number in np.flatnonzero(_named(rows, marks.drop) & selection.among("train", "dev")).tolist():
        selection.drop(number, "review_drop")
    return selection


def unknown(rows: Collected, marks: Marks) -> list[str]:
    """Ids that a person marked and that no row has any more: the row changed or is gone. Rows that a model makes do not
    count: they are not there yet."""
    read = sorted(name for name in marks.keep | marks.drop if not name.endswith(MADE_ID))
    keys = {name: key for name in read if (key := _key(name)) is not None}
    there = dict(zip(keys, np.isin(np.array([*keys.values()], np.uint64), rows.keys()).tolist(), strict=True))
    return [name for name in read if not there.get(name)]


def _key(name: str) -> int | None:
    """A row's id as a number; copies and pieces of a row count as it does."""
    found = ROW_ID.match(name)
    return int(found[1], 16) if found else None


def _named(rows: Collected, ids: Iterable[str]) -> Mask:
    """Which rows have one of these ids."""
    keys = [key for key in map(_key, ids) if key is not None]
    found: Mask = np.isin(rows.keys(), np.array(keys, np.uint64))
    return found


def judge_rows(selection: Selection, settings: DataSettings) -> None:
    """Doubts that only the whole set can raise: about train and dev, and, only reported, about a test of the user's."""
    for part in PARTS[:3]:
        numbers = selection.numbers(part)
        if not len(numbers):
            continue
        found = judge(selection.features[numbers], settings.clean, lambda at: selection.row(numbers[at]))  # noqa: B023
        for verdict in found.verdicts:
            number = int(numbers[verdict.index])
            if not verdict.drop or part == "test" or selection.kept_N[number]:
                selection.flag(number, verdict.reason, verdict.detail)
            elif selection.alive_N[number]:
                selection.drop(number, verdict.reason, verdict.detail)
        if part == "train":
            selection.observations.extend(found.observations)


def find_near(selection: Selection, settings: DataSettings, base: Path) -> NearPairs | None:
    """Pairs of rows that nearly say or ask the same; with a model named, also those that mean the same."""
    if settings.duplicates.near == "off":
        return None
    rows = len(selection.fingerprints)
    near = near_pairs(selection.fingerprints, settings.duplicates)
    if block_count(rows) > 1:
        detail = f"{rows} rows, in {block_count(rows)} blocks, {ROUNDS} times over"
        selection.observations.append(Observation("near_in_blocks", detail))
    if settings.duplicates.semantic == "off":
        return near
    from burnish.data.duplicates.semantic import semantic_pairs  # it loads a model

    def text_of(number: int) -> str:
        row = selection.row(number)
        return f"{prompt_side(row)}\n{answer_side(row)}"

    model, threshold = settings.duplicates.semantic, settings.duplicates.semantic_threshold
    return semantic_pairs(near, text_of, model, threshold, base=base)


def drop_duplicates(selection: Selection, near: NearPairs | None, settings: DataSettings) -> None:
    """Leaves out the second of equal rows, and of nearly equal ones where that is asked for; a test stays as it is."""
    for part in ("train", "dev"):
        if settings.duplicates.exact == "drop":
            first_N = exact_duplicates(selection.fingerprints, selection.among(part))
            _drop_copies(selection, first_N, "exact_duplicate", np.zeros_like(selection.kept_N))
        if near is not None and settings.duplicates.near == "drop":
            _drop_copies(selection, near_duplicates(near, selection.among(part)), "near_duplicate", selection.kept_N)


def _drop_copies(selection: Selection, first_N: Indices, reason: str, spared_N: Mask) -> None:
    for number in np.flatnonzero((first_N != np.arange(len(first_N))) & ~spared_N).tolist():
        selection.drop(number, reason, f"of {selection.row(int(first_N[number])).source}")


def cluster(selection: Selection, near: NearPairs | None, *parts: str) -> Clusters:
    """Rows of these parts that must stand on one side of a split."""
    return clusters(selection.fingerprints, near, selection.among(*parts))


def drop_leaks(
    selection: Selection, near: NearPairs | None, settings: DataSettings, *, learnt: tuple[str, ...], held: str
) -> None:
    """Leaves out learnt rows that give a held one away, and flags what only looks like it.

    Without `near` only exact copies, equal prompts and contained texts are looked for.
    """
    learnt_N, held_N = selection.among(*learnt), selection.among(held)
    if not learnt_N.any() or not held_N.any():
        return
    found = leaks(
        selection.fingerprints, near, learnt_N=learnt_N, held_N=held_N, contained=settings.duplicates.contained
    )
    for leak in found:
        reason = NAMES_OF_LEAKS.get(held, f"leak_{leak.kind}")
        detail = f"{leak.kind.replace('_', ' ')} {selection.row(leak.held).source}, {leak.score:.0%}"
        if leak.certain and settings.leaks == "drop":
            selection.drop(leak.row, reason, detail)
            continue
        selection.flag(leak.row, reason, detail)
        if leak.certain and held == "test":
            selection.leaked.add(leak.row)
