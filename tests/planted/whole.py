"""Every kind of defect planted into one set with a test of its own, and the whole stage scored on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from burnish.core.records import Chat, Row
from tests.planted import plant
from tests.planted.score import Score
from tests.planted.stage import LEAK, LEAK_DOUBT, found_by_stage

SHARE = 0.02  # of the rows, for each defect
LEAST_QUOTED_WORDS = 16  # a quotation is found by its runs of eight words: shorter prompts have hardly any


def planted(
    rows: Sequence[Row], test: Sequence[Chat], foreign: Sequence[Sequence[str]], seed: int, *, labels: bool
) -> list[plant.Item]:
    """The set with defects in it, each in rows of its own; all but near duplicates."""
    rng = Random(seed)
    count = max(5, round(SHARE * len(rows)))
    items = plant.encoding_damage(plant.items_of(rows), rng, count)
    items = plant.secrets(items, rng, 2 * count)
    items = plant.wrong_language(items, foreign, rng, count, side="prompt" if labels else "answer")
    items = plant.empty_answers(items, rng, count)
    if labels:
        items = plant.contradictions(items, rng, count)
    items = plant.duplicates(items, rng, count)
    first, second, third = (list(test)[part::3] for part in range(3))
    items = plant.leaks(items, first, rng, count, "leak, exact", plant.same)
    items = plant.leaks(items, second, rng, count, "leak, near", plant.nearly(rng))
    quotable = [row for row in third if plant.words_of(row) >= LEAST_QUOTED_WORDS]
    if not labels and quotable:
        carriers = [row for row in rows if isinstance(row, Chat)]
        for part, (defect, answered) in enumerate((("leak, contained", True), ("leak, question contained", False))):
            items = plant.leaks(
                items, quotable[part::2], rng, count, defect, plant.inside(carriers, rng, answered=answered)
            )
    return items


def scores(
    rows: Sequence[Row],
    test: Sequence[Row],
    foreign: Sequence[Sequence[str]],
    seed: int,
    folder: Path,
    *,
    labels: bool,
) -> Mapping[str, Score]:
    """What was planted → how much of it is found, and how many other rows are found with the same reason.

    What the stage finds in the set as it was is no fault, in a row or in a copy of it. Near duplicates are kept
    together by default; to be seen row by row they are left out, in a run of their own, for a copy of the test in train
    may have near duplicates as well.
    """
    held = [row for row in test if isinstance(row, Chat)]
    items = planted(rows, held, foreign, seed, labels=labels)
    near_items = plant.near_duplicates(plant.items_of(rows), Random(seed), max(5, round(SHARE * len(rows))))
    all_but_near = _scores(rows, test, items, folder / "all")
    near = _scores(rows, test, near_items, folder / "near", duplicates={"near": "drop"})
    return {**all_but_near, **near}


def _scores(
    rows: Sequence[Row], test: Sequence[Row], items: Sequence[plant.Item], folder: Path, **settings: Any
) -> Mapping[str, Score]:
    natural = found_by_stage(rows, test, folder / "natural", **settings)
    found = found_by_stage([item.row for item in items], test, folder / "planted", **settings)
    defects = sorted({defect for item in items for defect in item.defects})
    found_of = {defect: _found(defect, items, found) for defect in defects}
    planted_of = {defect: sum(defect in item.defects for item in items) for defect in defects}
    result: dict[str, Score] = {}
    for reason in sorted({reason_of(defect) for defect in defects}):
        mine = [defect for defect in defects if reason_of(defect) == reason]
        false = _others(reason, items, found, natural)
        result[reason] = Score(sum(planted_of[one] for one in mine), sum(found_of[one] for one in mine), false)
        if mine != [reason]:  # how many others there are cannot be told of one kind of leak
            result |= {one: Score(planted_of[one], found_of[one], 0) for one in mine}
    return result


def reason_of(defect: str) -> str:
    """The reason that finds a defect."""
    return LEAK if defect.startswith(LEAK) else defect


def _found(defect: str, items: Sequence[plant.Item], found: set[tuple[int, str]]) -> int:
    """How many rows with this defect are found."""
    reason = reason_of(defect)
    first = {item.origin: index for index, item in enumerate(items)}
    count = 0
    for index, item in enumerate(items):
        if defect not in item.defects:
            continue
        seen = (index, reason) in found
        # That a short prompt with a word changed gives the test away is a doubt: it is reported, and kept.
        seen |= defect == "leak, near" and (index, LEAK_DOUBT) in found
        # Left out is the copy, or the row that it is of, where that has an earlier one as well.
        seen |= defect == "near_duplicate" and (first[item.copy_of], reason) in found
        count += seen
    return count


def _others(
    reason: str, items: Sequence[plant.Item], found: set[tuple[int, str]], natural: set[tuple[int, str]]
) -> int:
    """How many rows are found with this reason in which it was not planted, and was not before."""
    seen = [items[index] for index, other in found if other == reason]
    return sum(reason not in map(reason_of, item.defects) and (_place(item), reason) not in natural for item in seen)


def _place(item: plant.Item) -> int | None:
    return item.copy_of if item.origin is None else item.origin
