"""review.csv: rows with a column in which a person marks them `keep` or `drop`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from burnish.core.files import write_text
from burnish.core.records import Pair, Row
from burnish.data.cleaning.features import answer_side, prompt_side
from burnish.data.review.cells import guarded, name_cell, on_one_line
from burnish.data.review.index import PartIndex
from burnish.data.review.marks import ID, MARK, Marks
from burnish.data.review.rows import Doubts, not_found_again, texts
from burnish.data.review.words import Hide, shown

COLUMNS = (MARK, ID, "part", "reasons", "prompt", "answer", "source")
MOST_LINES = 10_000  # more than a person looks through, and a spreadsheet opens them at once
LONGEST_CELL = 1_000  # characters
BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the code page of the machine


@dataclass(frozen=True)
class LeftOut:
    """A dropped row that a mark can bring back."""

    row: Row
    reason: str


def write_table(
    path: Path,
    parts: Sequence[PartIndex],
    left_out: Sequence[LeftOut],
    doubts: Doubts,
    marks: Marks,
    hide: Hide,
    first: Iterable[str],
    most: int = MOST_LINES,
) -> int:
    """Writes at most `most` rows: those marked before and those in `first` by id, those left out, those with a
    doubt, then a sample of the rest. Returns how many. A mark whose row is gone keeps its line."""
    brought_back = {one.row.id: one for one in left_out}
    marked = sorted(marks.keep | marks.drop)
    wanted = dict.fromkeys((*marked, *first, *brought_back, *_by_doubt(doubts)))
    here = {*marked, *brought_back}.union(*(part.numbers_of(wanted) for part in parts))
    chosen = dict.fromkeys(row_id for row_id in wanted if row_id in here)
    written: dict[str, list[str]] = {}
    for row_id in (*chosen, *_sampled(parts, most)):
        if len(written) >= max(most, len(marked)):
            break
        written[row_id] = []
    for row_id in brought_back.keys() & written.keys():
        one = brought_back[row_id]
        written[row_id] = _cells("dropped", (one.reason,), one.row, "", hide)
    for part in parts:
        numbers = part.numbers_of(written)
        for row_id, row in zip(numbers, part.rows(numbers.values()), strict=True):
            found = doubts.private.get(row_id, ())
            instead = next(
                filter(None, (not_found_again(place, text, found, hide) for place, _, text, _ in texts(row))), ""
            )
            written[row_id] = _cells(part.part, doubts.reasons.get(row_id, ()), row, instead, hide)
    lines = io.StringIO()
    writer = csv.writer(lines, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows((marks.of(row_id), name_cell(row_id), *cells) for row_id, cells in written.items())
    write_text(path, BYTE_ORDER_MARK + lines.getvalue())
    return len(written)


def _by_doubt(doubts: Doubts) -> list[str]:
    """Ids of flagged rows, those with the most reasons first."""
    return sorted(doubts.reasons, key=lambda row_id: (-len(doubts.reasons[row_id]), row_id))


def _sampled(parts: Sequence[PartIndex], most: int) -> Iterator[str]:
    """Ids of rows drawn by the seed, from all parts by their size."""
    rows = sum(map(len, parts))
    for part in parts:
        share = -(-most * len(part) // max(1, rows))
        yield from (row.id for row in part.rows(part.sample(share)))


def _cells(part: str, reasons: Sequence[str], row: Row, instead: str, hide: Hide) -> list[str]:
    """The cells after the row's name. `instead` stands for texts that may not be shown."""
    answer = answer_side(row) + (f" rather than {row.rejected}" if isinstance(row, Pair) else "")
    said = (instead or prompt_side(row), instead or answer, row.source)
    cells = [", ".join(reasons), *(shown(text, hide, LONGEST_CELL) for text in said)]
    return [part, *(guarded(on_one_line(cell)) for cell in cells)]
