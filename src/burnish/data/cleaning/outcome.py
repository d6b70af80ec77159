"""What became of one row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from burnish.core.records import Changed, Dropped, Flagged, Row


@dataclass(frozen=True)
class Cleaned:
    """`row` is None exactly where `dropped` says why. `changed` stands in the order in which it was done."""

    row: Row | None
    changed: tuple[Changed, ...] = ()
    flagged: tuple[Flagged, ...] = ()
    dropped: Dropped | None = None


@dataclass(frozen=True)
class Observation:
    """A fact about the whole set, for the card: a code of REASONS and what was seen, in a sentence."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Verdict:
    """A doubt about one row, by its index, that only the whole set could raise."""

    index: int
    reason: str
    detail: str
    drop: bool = False


def named(cleaned: Cleaned, row_id: str) -> Cleaned:
    """The same with the id that the row has after all repairs, in the row and in its records."""
    return replace(
        cleaned,
        row=cleaned.row and replace(cleaned.row, id=row_id),
        changed=tuple(replace(one, id=row_id) for one in cleaned.changed),
        flagged=tuple(replace(one, id=row_id) for one in cleaned.flagged),
    )


def dropped_as(row: Row, reason: str, detail: str = "") -> Cleaned:
    """A row that is left out."""
    return Cleaned(None, dropped=Dropped(row.source, reason, detail, row.to_json()))
