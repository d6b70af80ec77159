"""Parquet and Arrow → raw rows, a small batch at a time. A missing number (NaN) becomes null, as everywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars
from polars import selectors

from burnish.core.errors import DataError
from burnish.core.panics import as_model_error
from burnish.core.records import Dropped
from burnish.data.read.raw import MOST_ROW_CHARACTERS, Raw, RawOrDropped

FIRST_ROWS = 64
MOST_ROWS = 20_000
BATCH_BYTES = 32 << 20
GROWTH = 8  # of one batch to the next: rows may be very unlike
PYTHON_ROWS = 512
DAYS = (-719_162, 2_932_896)  # since 1970, of the calendar that Python knows: the years 1 to 9999
MILLISECONDS = 86_400_000


@dataclass(frozen=True)
class Unfit:
    """Why a row of a table is not taken."""

    reason: str
    detail: str


def read_parquet(path: Path, name: str) -> Iterator[RawOrDropped]:
    """Slice by slice; memory is that of one row group, compressed, and of one batch.

    Raises DataError: the file is damaged.
    """
    with _errors(name, "Parquet"):
        table = polars.scan_parquet(path, low_memory=True, glob=False, hive_partitioning=False)
    return _rows(_slices(table, name, "Parquet"), name)


def parquet_metadata(path: Path) -> dict[str, str]:
    """The keys and values at the end of a Parquet file. Raises DataError: the file is damaged."""
    with _errors(path.name, "Parquet"):
        return dict(polars.read_parquet_metadata(path))


def read_arrow(path: Path, name: str) -> Iterator[RawOrDropped]:
    """An Arrow IPC file (Feather). Raises DataError: the file is damaged."""
    with _errors(name, "Arrow"):
        table = polars.scan_ipc(path, glob=False, hive_partitioning=False)
    return _rows(_slices(table, name, "Arrow"), name)


def read_arrow_batches(batches: Iterator[bytes], name: str) -> Iterator[RawOrDropped]:
    """An Arrow IPC stream, as `datasets` writes it; memory is that of one record batch."""

    def frames() -> Iterator[polars.DataFrame]:
        for batch in batches:
            with _errors(name, "Arrow"):
                frame = polars.read_ipc_stream(batch)
            del batch  # the frame has a copy
            yield frame

    return _rows(frames(), name)


def _slices(table: polars.LazyFrame, name: str, kind: str) -> Iterator[polars.DataFrame]:
    """Slices rather than `collect_batches`, which is unstable and holds several row groups."""
    offset, rows = 0, FIRST_ROWS
    while True:
        with _errors(name, kind):
            frame = table.slice(offset, rows).collect()
        if not frame.height:
            return
        yield frame
        offset += frame.height
        fitting = int(BATCH_BYTES * frame.height / max(1, frame.estimated_size()))
        rows = max(1, min(fitting, rows * GROWTH, MOST_ROWS))


def _rows(frames: Iterator[polars.DataFrame], name: str) -> Iterator[RawOrDropped]:
    number = 0
    for frame in frames:
        for part in frame.with_columns(selectors.float().fill_nan(None)).iter_slices(PYTHON_ROWS):
            rows: Sequence[dict[str, Any] | Unfit]
            try:
                odd = any(_marked(part, [*_too_long(part), *_out_of_calendar(part)]))
                rows = _row_by_row(part) if odd else part.rows(named=True)
            except (ValueError, OverflowError, polars.exceptions.PanicException):
                rows = _row_by_row(part)
            for row in rows:
                number += 1
                source = f"{name}:{number}"
                yield Raw(source, row) if isinstance(row, dict) else Dropped(source, row.reason, row.detail)


def _too_long(part: polars.DataFrame) -> list[polars.Expr]:
    names = part.select(selectors.string()).columns
    return [polars.col(name).str.len_bytes() > MOST_ROW_CHARACTERS for name in names]


def _out_of_calendar(part: polars.DataFrame) -> list[polars.Expr]:
    found = []
    for name in part.select(selectors.date()).columns:
        found.append(~polars.col(name).to_physical().is_between(DAYS[0], DAYS[1]))
    for name in part.select(selectors.datetime()).columns:
        found.append(~polars.col(name).dt.timestamp("ms").is_between(DAYS[0] * MILLISECONDS, DAYS[1] * MILLISECONDS))
    return found


def _marked(part: polars.DataFrame, odd: Sequence[polars.Expr]) -> list[bool | None]:
    """For each row whether any of these is so. Asked of all rows at once: to ask a single one copies what it stands
    beside, and there may be 300 MB of it."""
    return part.select(polars.any_horizontal(odd)).to_series().to_list() if odd else [False] * part.height


def _row_by_row(part: polars.DataFrame) -> list[dict[str, Any] | Unfit]:
    long, undated = _marked(part, _too_long(part)), _marked(part, _out_of_calendar(part))
    return [_one_row(part, *marks) for marks in zip(range(part.height), long, undated, strict=True)]


def _one_row(part: polars.DataFrame, index: int, long: bool | None, undated: bool | None) -> dict[str, Any] | Unfit:
    """A row, or why it is not taken. Dates are looked at before: polars would panic, and say so on the terminal."""
    if long:
        return Unfit("line_too_long", f"a cell of more than {MOST_ROW_CHARACTERS:,} bytes")
    if undated:
        return Unfit("not_readable", "a date outside the years 1 to 9999")
    try:
        return part.row(index, named=True)
    except (ValueError, OverflowError, polars.exceptions.PanicException) as error:
        return Unfit("not_readable", str(error))


def _errors(name: str, kind: str) -> AbstractContextManager[None]:
    """Whatever polars raises on a damaged file, panics included, as a DataError."""
    return as_model_error(
        lambda error: DataError(
            f"The {kind} file cannot be read.",
            where=name,
            seen=(str(error) or type(error).__name__)[:200],
            next_move="write it again, or save the table as CSV",
        )
    )
