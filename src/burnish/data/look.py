"""One row of a file as training would see it, without preparing the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from burnish.core.errors import DataError
from burnish.core.records import Row
from burnish.data.layout.columns import LOOKED_AT
from burnish.data.layout.recognise import recognise
from burnish.data.read.raw import Raw
from burnish.data.read.sources import sources
from burnish.data.settings import DataSettings
from burnish.data.take import Taker, take


def row_at(number: int, settings: DataSettings, *, base: Path, say: Callable[[str], None]) -> Row:
    """The usable row of the training files with this number, counted from 1.

    Raises DataError: there are fewer, or the files cannot be read.
    """
    seen = 0
    for row in _usable(settings, base, say):
        seen += 1
        if seen == number:
            return row
    raise DataError("There is no such row.", where=settings.train_files[0], seen=str(number), next_move=f"1 to {seen}")


def _usable(settings: DataSettings, base: Path, say: Callable[[str], None]) -> Iterator[Row]:
    for file in settings.train_files:
        for source in sources(file, base, settings.read, as_text=settings.format == "text", say=say):
            first = list(islice((one for one in source.rows() if isinstance(one, Raw)), LOOKED_AT))
            layout = recognise([raw.value for raw in first], settings, source.name)
            say(f"{source.name}: {layout.name.replace('_', '/')}")
            taker = Taker(layout, settings.clean, settings.private)
            for found in source.rows():
                row = take(taker, [found])[0].cleaned.row
                if row is not None:
                    yield row
