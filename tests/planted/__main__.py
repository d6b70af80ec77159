"""Plants defects into real sets, runs the whole stage on the files, and prints what it found of each."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from burnish.core.records import Row
from tests.planted import sets
from tests.planted.whole import scores

HELD = 5  # every fifth row is the test of a set that has none
RECALL, PRECISION = 0.95, 0.9


class Planted(NamedTuple):
    """A set, its test, and whether its answers are labels."""

    name: str
    rows: list[Row]
    test: list[Row]
    labels: bool


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", default="", help="a set by its name")
    asked = parser.parse_args()
    folder = os.environ.get("BURNISH_DATA")
    if not folder:
        sys.exit("BURNISH_DATA is not set: it names the folder of the real sets")
    foreign = sets.foreign_sentences(Path(folder))
    for one in all_sets(Path(folder)):
        for seed in asked.seeds if asked.only in one.name else ():
            report(one, foreign, seed)


def all_sets(folder: Path) -> Iterator[Planted]:
    """Those that the rules were settled on, then others."""
    yield Planted("banking77", sets.banking77(folder), sets.banking77_test(folder), labels=True)
    for name, rows in (
        ("dolly", sets.dolly(folder)),
        ("gsm8k", sets.gsm8k(folder, 3000)),
    ):
        yield Planted(name, [row for n, row in enumerate(rows) if n % HELD], rows[::HELD], labels=False)
    yield Planted("e2e_nlg", sets.e2e(folder, "devset.csv"), sets.e2e(folder, "testset_w_refs.csv"), labels=False)


def report(one: Planted, foreign: list[list[str]], seed: int) -> None:
    print(f"{one.name}, seed {seed}: {len(one.rows)} rows of train, {len(one.test)} of test")
    with tempfile.TemporaryDirectory(prefix="burnish-planted-") as folder:
        found = scores(one.rows, one.test, foreign, seed, Path(folder), labels=one.labels)
        for defect, score in found.items():
            mark = " " if score.recall >= RECALL and score.precision >= PRECISION else "!"
            of_all = "" if defect.startswith("leak,") else f"  precision {score.precision:.3f} ({score.false} others)"
            print(f"{mark} {defect:26} planted {score.planted:4}  recall {score.recall:.3f}{of_all}", flush=True)


if __name__ == "__main__":
    main()
