"""One raw row → a clean row with what is remembered of it, or the reason why not. Needs no other row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from burnish.core.files import sha256_of_json
from burnish.core.records import Dropped, Row
from burnish.data.cleaning.features import Feature, feature_of
from burnish.data.cleaning.outcome import Cleaned, named
from burnish.data.cleaning.rows import clean_row
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.group import prompt_keys
from burnish.data.layout.convert import convert
from burnish.data.layout.format import Format
from burnish.data.layout.reasons import Unusable
from burnish.data.private.find import NameFinder
from burnish.data.private.rows import protect
from burnish.data.private.settings import PrivateSettings
from burnish.data.read import Raw
from burnish.data.splitting.times import time_of

ID_DIGITS = 16


@dataclass(frozen=True)
class Taker:
    """How the rows of one file are read: the same for all of them."""

    layout: Format
    clean: CleanSettings
    private: PrivateSettings
    time: str | None = None
    names: NameFinder | None = None


@dataclass(frozen=True)
class Taken:
    """`feature` is None exactly where no row is left; `cut` says that turns after the last answer were left out.

    `time` is NaN where nobody said when the row was made.
    """

    cleaned: Cleaned
    feature: Feature | None
    cut: bool = False
    time: float = math.nan


def take(taker: Taker, found: Sequence[Raw | Dropped]) -> list[Taken]:
    """What became of each row; a row that could not be read stays dropped, without its private data where asked."""
    return [_take(taker, one) for one in found]


def _take(taker: Taker, found: Raw | Dropped) -> Taken:
    if isinstance(found, Dropped):
        return Taken(protect(Cleaned(None, dropped=found), taker.private, taker.names), None)
    try:
        converted = convert(found.value, taker.layout)
    except Unusable as unusable:
        dropped = Dropped(found.source, unusable.reason, unusable.detail, found.value)
        return Taken(protect(Cleaned(None, dropped=dropped), taker.private, taker.names), None)
    cleaned = clean_row(replace(converted.row, source=found.source), taker.clean)
    cleaned = protect(cleaned, taker.private, taker.names)
    if cleaned.row is None:
        return Taken(cleaned, None)
    cleaned = named(cleaned, content_id(cleaned.row))
    assert cleaned.row is not None
    feature = feature_of(cleaned.row, prompt_keys(cleaned.row)[-1], taker.clean)
    time = time_of(found.value.get(taker.time)) if taker.time else math.nan
    return Taken(cleaned, feature, converted.cut_turns > 0, time)


def content_id(row: Row) -> str:
    """A name made of what the row says, so it survives edits elsewhere in the file; equal rows have the same."""
    content = [value for key, value in row.to_json().items() if key not in ("id", "source", "group")]
    return sha256_of_json(content if len(content) > 1 else content[0])[:ID_DIGITS]
