"""One raw row → a clean row with what is remembered of it, or the reason why not. Needs no other row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from burnish.core.records import Changed, Chat, Dropped, Flagged, Pair, Row, Text
from burnish.data.cleaning.features import Feature, feature_of
from burnish.data.cleaning.outcome import Cleaned, named
from burnish.data.cleaning.rows import clean_row
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.duplicates.fingerprint import Fingerprint, content_digest, fingerprint_of
from burnish.data.layout.convert import convert
from burnish.data.layout.format import Format
from burnish.data.layout.reasons import Unusable
from burnish.data.private.find import NameFinder
from burnish.data.private.rows import protect
from burnish.data.private.settings import PrivateSettings
from burnish.data.read import Raw
from burnish.data.splitting.times import time_of
from burnish.data.store import line_of

ID_DIGITS = 16
LONGEST_VALUE = 80  # characters of a column to group by


@dataclass(frozen=True)
class Taker:
    """How the rows of one file are read: the same for all of them."""

    layout: Format
    clean: CleanSettings
    private: PrivateSettings
    time: str | None = None
    names: NameFinder | None = None
    columns: tuple[str, ...] = ()  # that the verdict groups by


@dataclass(frozen=True)
class Kept:
    """A clean row as it is stored, and what the decisions about the whole set need of it.

    `time` is NaN where nobody said when the row was made; `cut` says that turns after the last answer were left out.
    """

    line: bytes
    fingerprint: Fingerprint
    feature: Feature
    time: float
    cut: bool


@dataclass(frozen=True)
class Taken:
    """What became of one row of a file. `kept` is None exactly where `dropped` says why."""

    changed: tuple[Changed, ...]
    flagged: tuple[Flagged, ...]
    dropped: Dropped | None
    kept: Kept | None


def take(taker: Taker, found: Sequence[Raw | Dropped]) -> list[Taken]:
    """What became of each row; a row that could not be read stays dropped, without its private data where asked."""
    return [_take(taker, one) for one in found]


def _take(taker: Taker, found: Raw | Dropped) -> Taken:
    if isinstance(found, Dropped):
        return _lost(taker, found)
    try:
        converted = convert(found.value, taker.layout)
    except Unusable as unusable:
        return _lost(taker, Dropped(found.source, unusable.reason, unusable.detail, found.value))
    cleaned = clean_row(replace(converted.row, source=found.source), taker.clean)
    cleaned = protect(cleaned, taker.private, taker.names)
    if cleaned.row is None:
        return Taken(cleaned.changed, cleaned.flagged, cleaned.dropped, None)
    cleaned = named(cleaned, content_id(cleaned.row))
    assert cleaned.row is not None
    fingerprint = fingerprint_of(cleaned.row)
    kept = Kept(
        line=line_of(_with_columns(cleaned.row, found.value, taker.columns)),
        fingerprint=fingerprint,
        feature=feature_of(cleaned.row, fingerprint.keys[-1], taker.clean),
        time=time_of(found.value.get(taker.time)) if taker.time else math.nan,
        cut=converted.cut_turns > 0,
    )
    return Taken(cleaned.changed, cleaned.flagged, None, kept)


def _with_columns(row: Row, value: Mapping[str, object], columns: Sequence[str]) -> Row:
    """The row with what its file says in these columns, beside what is learnt."""
    named = {column: str(value[column])[:LONGEST_VALUE] for column in columns if value.get(column) is not None}
    return replace(row, meta=named) if named and isinstance(row, Chat | Pair | Text) else row


def _lost(taker: Taker, dropped: Dropped) -> Taken:
    return Taken((), (), protect(Cleaned(None, dropped=dropped), taker.private, taker.names).dropped, None)


def content_id(row: Row) -> str:
    """A name made of what the row says, so it survives edits elsewhere in the file; equal rows have the same."""
    return content_digest(row).hex()[:ID_DIGITS]
