"""Plants into banking77 and dolly what single steps find, and prints the scores."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from burnish.core.records import Row
from tests.planted import plant, sets
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


def main() -> None:
    folder = os.environ.get("BURNISH_DATA")
    if not folder:
        sys.exit("BURNISH_DATA is not set: it names the folder of the real sets")
    foreign = sets.foreign_sentences(Path(folder))
    for name, rows, labels in (
        ("banking77", sets.banking77(Path(folder)), True),
        ("dolly", sets.dolly(Path(folder)), False),
    ):
        print(f"{name}, {len(rows)} rows")
        for reason, one in scores_of(rows, foreign, 1, labels=labels).items():
            print(f"  {reason:22} planted {one.planted:5}  recall {one.recall:.3f}  precision {one.precision:.3f}")


if __name__ == "__main__":
    main()
