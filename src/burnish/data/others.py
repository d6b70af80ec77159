"""Rows of a file that is no part of the user's task, such as those of an earlier training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from burnish.core.errors import DataError
from burnish.core.records import Row
from burnish.data.intake import nothing_left
from burnish.data.layout.columns import LOOKED_AT
from burnish.data.layout.label_names import label_names
from burnish.data.layout.recognise import recognise
from burnish.data.read.raw import Raw
from burnish.data.read.source import Source
from burnish.data.read.sources import sources
from burnish.data.settings import DataSettings
from burnish.data.store import row_of
from burnish.data.take import Taker, take


def read_other(file: str, base: Path, say: Callable[[str], None]) -> list[Row]:
    """Reads, recognises and cleans a file, a folder or a pattern as `data.train` is, with the settings left as they
    are by default. Repeated rows stay.

    Raises DataError: nothing there can be used.
    """
    rows: list[Row] = []
    settings = DataSettings(train=file)
    for opened in sources(file, base, settings.read, as_text=False, say=say):
        rows += _rows_of(opened, settings)
    return rows


def _rows_of(opened: Source, settings: DataSettings) -> list[Row]:
    raws = [raw for raw in opened.rows() if isinstance(raw, Raw)]
    if not raws:
        raise DataError("No row of the file can be read.", where=opened.name, next_move="mend it, or name another")
    values = [raw.value for raw in raws[:LOOKED_AT]]
    layout = recognise(values, settings, opened.name, label_names=label_names(opened.metadata()))
    taker = Taker(layout, settings.clean, settings.private, settings.time, None, ())
    taken = take(taker, raws)
    kept = [row_of(one.kept.line) for one in taken if one.kept]
    if not kept:
        lost = [one.dropped for one in taken if one.dropped]
        raise nothing_left(opened.name, Counter(one.reason for one in lost), lost[0])
    return kept
