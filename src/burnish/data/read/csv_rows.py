"""CSV and TSV → raw rows. All fields are strings."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from burnish.core.errors import DataError
from burnish.core.records import Dropped
from burnish.data.read.kind import likely_delimiter
from burnish.data.read.raw import MOST_ROW_CHARACTERS, SHOWN_CHARACTERS, Raw, RawOrDropped
from burnish.data.read.text import LongLine, is_damaged, storable
from burnish.data.read.text_file import TextFile, not_text, too_long

SAID_BY_EXCEL = re.compile(r'"?sep=([,;\t|])"?')  # a first line that names the delimiter, and is no header


class _RowTooLong(Exception):  # noqa: N818 - caught here, where the row's place is known
    """The row being read went beyond the limit. `line` is the long line where it is one."""

    def __init__(self, line: LongLine | None) -> None:
        super().__init__()
        self.line = line


@dataclass
class _Feed:
    """Gives the csv module its lines, without blank ones between rows, and remembers those of the row being read.

    `number` is that of the last line, `first` that of the line on which the row starts.
    """

    lines: Iterator[str | LongLine]
    number: int = 0
    first: int = 1
    row: list[str] = field(default_factory=list)
    characters: int = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.number += 1
        if not self.row:
            if not line:
                blank, line = _after_blank_lines(self.lines)
                self.number += blank + 1
            self.first = self.number
        if isinstance(line, LongLine):
            raise _RowTooLong(line)
        self.characters += len(line) + 1
        if self.characters > MOST_ROW_CHARACTERS:
            raise _RowTooLong(None)
        line += "\n"
        self.row.append(line)
        return line

    def start_row(self) -> None:
        """Forgets the last row."""
        self.row.clear()
        self.characters = 0


def _after_blank_lines(lines: Iterator[str | LongLine]) -> tuple[int, str | LongLine]:
    """How many blank lines come, and the line after them."""
    for blank, line in enumerate(lines):
        if line:
            return blank, line
    raise StopIteration


def read_csv(file: TextFile) -> Iterator[RawOrDropped]:
    """The place of a row is the line on which it starts, for a field may hold line breaks.

    Raises DataError: no header, a name twice in it, or a quotation mark that is never closed: every row after it would
    be read wrongly.
    """
    lines = file.lines()
    try:
        blank, first = _after_blank_lines(lines)
    except StopIteration:
        return
    start = first.start if isinstance(first, LongLine) else first
    said = SAID_BY_EXCEL.fullmatch(start)
    delimiter = said[1] if said else "\t" if file.suffix == ".tsv" else likely_delimiter(start)
    feed = _Feed(lines, blank + 1) if said else _Feed(chain([first], lines), blank)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        feed.start_row()
        try:
            fields = _next_row(reader)
        except StopIteration:
            return
        except csv.Error as error:
            source = f"{file.name}:{feed.first}"
            if "unexpected end of data" in str(error):
                raise _unclosed_quote(source, feed.row) from error
            yield Dropped(source, "not_csv", str(error), "".join(feed.row))
            continue
        except _RowTooLong as error:
            source = f"{file.name}:{feed.first}"
            if error.line is None or feed.row or error.line.quotes % 2:
                raise _unclosed_quote(source, feed.row) from error
            yield too_long(source, error.line)
            continue
        if header:
            yield _row(file, header, fields, feed)
        else:
            header = _header(fields, f"{file.name}:{feed.first}")


def _row(file: TextFile, header: list[str], fields: list[str], feed: _Feed) -> RawOrDropped:
    source = f"{file.name}:{feed.first}"
    if file.decoding.damaged and file.damaged(text := "".join(feed.row)):
        return not_text(source, text)
    if len(fields) != len(header):
        return Dropped(source, "not_csv", f"{len(fields)} fields where the header names {len(header)}", fields)
    return Raw(source, dict(zip(header, fields, strict=True)))


def _next_row(reader: Iterator[list[str]]) -> list[str]:
    """The csv module refuses fields above 128 KiB through a limit of the whole process: lifted for one row only."""
    before = csv.field_size_limit(MOST_ROW_CHARACTERS)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(before)


def _header(fields: list[str], where: str) -> list[str]:
    names = [name.strip() for name in fields]
    if len(set(names)) < len(names):
        raise DataError(
            "A column name stands twice in the header.",
            where=where,
            seen=", ".join(map(storable, names)),
            next_move="rename one of the two columns",
        )
    if any(map(is_damaged, names)):
        raise DataError("The header holds bytes that are no text.", where=where, seen=storable(", ".join(names)))
    return names


def _unclosed_quote(where: str, row: list[str]) -> DataError:
    return DataError(
        "A quotation mark is opened here and never closed.",
        where=where,
        seen=repr(row[0][:SHOWN_CHARACTERS]) if row else f"a line of more than {MOST_ROW_CHARACTERS:,} characters",
        next_move='close it, or write it twice ("") where it is part of the text',
    )
