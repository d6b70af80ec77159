"""How many rows are held out: as many as the test needs to show a useful gain, and not more than the data can spare."""

from __future__ import annotations

from dataclasses import dataclass

from burnish.core.errors import DataError
from burnish.core.power import can_show, rows_for

FEWEST_ROWS = 12  # without a test file: 3 for test, 3 for dev, 6 to learn from
FEWEST_BESIDE_TEST = 4
MOST_TEST_ROWS = 1000
USUAL_SHARE = 0.2  # of all rows, unless so few of them could not even show LEAST_GAIN
LARGEST_SHARE = 0.25
LEAST_GAIN = 0.3
FEWEST_DEV_ROWS = 20
MOST_DEV_ROWS = 200
USUAL_GAINS = (0.1, 0.05, 0.02)  # for whom a few points matter, and for whom they do not


@dataclass(frozen=True)
class Sizes:
    """Rows of the test and of dev; 0 where the user gives a file, or where none is to be held out."""

    test: int
    dev: int


def choose_sizes(
    rows: int, *, test_gain: float, test_share: float | None, dev_share: float, own_test: bool, own_dev: bool
) -> Sizes:
    """The sizes of what is held out of `rows` usable rows. A share that the user names goes before what it can show.

    Raises DataError: too few rows.
    """
    needed = 1 if own_test and own_dev else FEWEST_BESIDE_TEST if own_test else FEWEST_ROWS
    if rows < needed:
        raise DataError(
            f"{rows} rows are too few to learn from and to hold some out.",
            seen=f"{rows} usable rows",
            next_move=f"give at least {needed} rows" + ("" if own_test else ", or a test file of your own"),
        )
    test = 0 if own_test else size_of_test(rows, test_gain, test_share)
    return Sizes(test, 0 if own_dev else size_of_dev(rows - test, dev_share))


def size_of_test(rows: int, gain: float, share: float | None = None) -> int:
    """Rows for the verdict: as many as show `gain` of accuracy with 80 % power, at most a fifth of all; up to a quarter
    where a fifth could not even show 30 points. With a `share` just that; never more than 1,000."""
    if share is not None:
        return min(MOST_TEST_ROWS, max(1, round(share * rows)))
    spared = max(round(USUAL_SHARE * rows), min(rows_for(LEAST_GAIN), int(LARGEST_SHARE * rows)))
    return max(1, min(rows_for(gain), spared, MOST_TEST_ROWS))


def size_of_dev(rows: int, share: float) -> int:
    """Rows for early stop and prompts, of `rows` that are not test: 20 to 200, never more than a third."""
    return max(1, min(MOST_DEV_ROWS, max(FEWEST_DEV_ROWS, round(share * rows)), rows // 3))


def said(test_rows: int, gain: float) -> str:
    """What the test can show, and how many rows 10, 5 and 2 points and the gain that was asked for would take."""
    gains = sorted({*USUAL_GAINS, gain}, reverse=True)
    rows = ", ".join(f"{one * 100:g} points {rows_for(one):,}" for one in gains)
    return f"{can_show(test_rows)} Rows that show a gain: {rows}."
