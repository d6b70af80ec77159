"""review.csv, read back: which rows a person wants to keep or to drop, whatever spreadsheet saved the table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from burnish.core.errors import DataError
from burnish.data.review.cells import id_of_cell, unguarded

ID, MARK = "id", "keep_or_drop"
SEPARATORS = ",;\t"
LONGEST_CELL = 10_000_000  # characters: a person may have pasted a document
Mark: TypeAlias = Literal["keep", "drop"]
MARKS: dict[str, Mark] = {"keep": "keep", "drop": "drop"}


@dataclass(frozen=True)
class Marks:
    """Ids of rows that a person decided about. No row is in both."""

    keep: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()

    def of(self, row_id: str) -> str:
        """ "keep", "drop", or "" where the person said nothing."""
        return "keep" if row_id in self.keep else "drop" if row_id in self.drop else ""

    def over(self, older: Marks) -> Marks:
        """Both together; where they differ, these count."""
        return Marks(self.keep | (older.keep - self.drop), self.drop | (older.drop - self.keep))

    def unknown(self, ids: frozenset[str]) -> list[str]:
        """Marked ids that no row has, in order."""
        return sorted((self.keep | self.drop) - ids)


def read_marks(path: Path) -> Marks:
    """The marks in a table that `burnish prepare --review` wrote and a person filled in.

    Commas, semicolons or tabs, UTF-8, UTF-16 or the code page of an old Excel. Only the columns id and keep_or_drop are
    read; rows without a mark say nothing.

    Raises DataError: the file is absent or no such table, a mark is neither keep nor drop, stands without an id, or two
    marks of one row differ; each with its line.
    """
    lines = _lines(path)
    _, head = next(lines, (1, []))
    names = [_word(cell) for cell in head]
    for wanted in (ID, MARK):
        if wanted not in names:
            raise DataError(
                f"The review table has no column `{wanted}`.",
                where=f"{path}:1",
                seen=", ".join(filter(None, names))[:100] or "an empty line",
                next_move="`burnish prepare --review` writes a new table: copy your marks into its column keep_or_drop",
            )
    found: dict[str, tuple[Mark, int]] = {}
    for line, cells in lines:
        row_id, mark = (_cell(cells, names.index(name)) for name in (ID, MARK))
        if mark:
            _note(found, id_of_cell(row_id), mark, f"{path}:{line}", line)
    return Marks(*(frozenset(key for key, (mark, _) in found.items() if mark == wanted) for wanted in MARKS))


def _note(found: dict[str, tuple[Mark, int]], row_id: str, written: str, where: str, line: int) -> None:
    mark = MARKS.get(_word(written))
    if mark is None:
        raise DataError(
            "This mark is not known.",
            where=where,
            seen=written[:60],
            next_move="write keep or drop, or leave the cell empty",
        )
    if not row_id:
        raise DataError(
            "This mark stands on a line without an id.",
            where=where,
            seen=mark,
            next_move="copy the row's id from the page or from the table as it was written",
        )
    first, first_line = found.setdefault(row_id, (mark, line))
    if first != mark:
        raise DataError(
            "One row is marked both keep and drop.",
            where=where,
            seen=f"#{row_id}: {first} on line {first_line}, {mark} here",
            next_move="leave one of the two marks",
        )


def _word(cell: str) -> str:
    return unguarded(cell.strip()).strip().casefold()


def _cell(cells: Sequence[str], column: int) -> str:
    """Spreadsheets leave out empty cells at the end of a line."""
    return cells[column].strip() if column < len(cells) else ""


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line at which it begins, cells) of each line of the table that is not empty."""
    text = _text(path)
    if text[:4].casefold() == "sep=":  # Excel's own way of saying which separator follows
        separator, skipped, text = text[4:5], 1, text.partition("\n")[2]
    else:
        separator, skipped = _separator(text), 0
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cells):
                yield begins + skipped, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            "The review table is damaged.",
            where=f"{path}:{begins + skipped}",
            seen=str(error),
            next_move="save it again as CSV, with quotation marks around text",
        ) from error


def _separator(text: str) -> str:
    """The sign that parts the first line into cells of which one is the column of marks."""
    head = text.partition("\n")[0]
    return next((sign for sign in SEPARATORS if MARK in map(_word, head.replace('"', "").split(sign))), ",")


def _text(path: Path) -> str:
    """Ids and marks are plain letters, so any code page may stand for one that is not known."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            "The review table cannot be read.",
            where=str(path),
            seen=error.strerror or str(error),
            next_move="check the path in `data.review`, or leave it out",
        ) from error
    if content[:4] == b"PK\x03\x04":
        raise DataError(
            "This is a workbook, not a CSV file.",
            where=str(path),
            next_move="save the table as CSV in your spreadsheet",
        )
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
