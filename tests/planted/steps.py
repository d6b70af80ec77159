"""Plants into a set what single steps find, and scores these steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from burnish.core.records import Row
from tests.planted import plant
from tests.planted.find import found_in
from tests.planted.score import Score, score

SHARE = 0.05  # of the rows, for each defect


def scores_of(rows: Sequence[Row], foreign: Sequence[Sequence[str]], seed: int, *, labels: bool) -> Mapping[str, Score]:
    """Plants every defect that a single step finds and scores them."""
    rng = Random(seed)
    count = round(SHARE * len(rows))
    items = plant.encoding_damage(plant.items_of(rows), rng, count)
    items = plant.secrets(items, rng, count)
    items = plant.wrong_language(items, foreign, rng, count, side="prompt" if labels else "answer")
    if labels:
        items = plant.contradictions(items, rng, count)
    natural = found_in(rows)
    moved = {item.origin: index for index, item in enumerate(items) if item.origin is not None and not item.defects}
    return score(
        found_in([item.row for item in items]),
        plant.truth_of(items),
        {(moved[index], reason) for index, reason in natural if index in moved},
    )
