"""The files → clean rows on disk, saying aloud how each file was understood. No row is held in memory."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import DataError
from burnish.core.hardware import cores
from burnish.core.records import Dropped
from burnish.data.cleaning.features import FEATURES, Features
from burnish.data.column import Column
from burnish.data.duplicates.fingerprint import Fingerprinter
from burnish.data.layout.columns import LOOKED_AT
from burnish.data.layout.format import Format
from burnish.data.layout.label_names import label_names
from burnish.data.layout.proof import preview, proof
from burnish.data.layout.recognise import recognise
from burnish.data.ledger import Ledger
from burnish.data.private.find import NameFinder
from burnish.data.private.rows import shown
from burnish.data.read.raw import Raw
from burnish.data.read.source import Source as Opened
from burnish.data.read.sources import sources
from burnish.data.reasons import REASONS
from burnish.data.settings import DataSettings
from burnish.data.store import RowStore, row_of
from burnish.data.take import Kept, Taker, take
from burnish.data.workers import in_order

PARTS = ("train", "dev", "test", "benchmark")
ROWS_A_CHUNK = 500
NAMES_SHOWN = 8
NEXT_MOVES = {
    "not_renderable": "look at a row with `burnish show`; most templates want user and assistant in turn",
    **dict.fromkeys(
        ("leak_exact", "leak_same_prompt", "leak_near", "leak_contained"),
        "name a test file with other rows, or leave it out: a part of train is held out then",
    ),
    "too_long": "use a model with a longer context, or shorter rows",
}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """One input file as the card shows it; `first_row` is the proof of the format."""

    part: str
    file: str
    sha256: str
    bytes: int
    rows: int
    format: str
    keys: tuple[str, ...]
    unread_keys: tuple[str, ...]
    first_row: str
    notes: tuple[str, ...] = ()


@dataclass
class Collected:
    """The rows of all parts, numbered together in the order in which they were read, and what is known of each.

    `part_N` indexes PARTS; `source_N` indexes `sources`. `entry_S` says which of the files that the recipe names for
    its part a source belongs to: a folder or a pattern stands for several. Rows keep `columns` beside what is learnt.
    """

    store: RowStore
    fingerprints: Fingerprinter
    columns: tuple[str, ...] = ()
    part_N: array[int] = field(default_factory=lambda: array("b"))
    source_N: array[int] = field(default_factory=lambda: array("i"))
    sources: list[Source] = field(default_factory=list)
    entry_S: list[int] = field(default_factory=list)
    rows_cut: int = 0

    def __post_init__(self) -> None:
        folder = self.store.folder
        self._keys, self._times = Column(np.uint64, folder), Column(np.float64, folder)
        self._features = Column(FEATURES, folder)

    def add(self, kept: Kept, part: str, source: int) -> None:
        """Takes one row."""
        self.store.append(kept.line)
        self.fingerprints.add(kept.fingerprint)
        self.part_N.append(PARTS.index(part))
        self.source_N.append(source)
        self._keys.append(int.from_bytes(kept.fingerprint.content[:8]))
        self._times.append(kept.time)
        self.rows_cut += kept.cut
        self._features.append(kept.feature)

    def features(self) -> Features:
        """What is known of all rows, as one array."""
        return self._features.finish()

    def parts(self) -> NDArray[np.int8]:
        """`part_N` as an array of numpy, which may be written to."""
        return np.array(self.part_N, np.int8)

    def times(self) -> NDArray[np.float64]:
        """When each row was made, in seconds; NaN where nobody said."""
        return self._times.finish()

    def keys(self) -> NDArray[np.uint64]:
        """Each row's id as a number."""
        return self._keys.finish()


def take_in(
    part: str,
    files: Sequence[str],
    settings: DataSettings,
    into: Collected,
    ledger: Ledger,
    *,
    base: Path,
    say: Say,
    like: Format | None,
) -> Format:
    """Reads, recognises, converts and cleans the files of one part. Returns the format of its first file.

    Raises DataError: a file is unusable, its format is unknown, or no row of it can be used.
    """
    for entry, file in enumerate(files):
        for opened in sources(file, base, settings.read, as_text=settings.format == "text", say=say):
            into.entry_S.append(entry)
            layout = _take_file(part, opened, settings, into, ledger, base, say, like)
            like = like or layout
    if like is None:
        raise DataError(f"No file is named for {part}.")
    return like


def _take_file(
    part: str,
    opened: Opened,
    settings: DataSettings,
    into: Collected,
    ledger: Ledger,
    base: Path,
    say: Say,
    like: Format | None,
) -> Format:
    found = opened.rows()
    unreadable: list[Raw | Dropped] = []
    raws = _first_rows(found, unreadable)
    if not raws:
        unread = [one for one in unreadable if isinstance(one, Dropped)]
        raise nothing_left(part, Counter(one.reason for one in unread), unread[0])
    own_labels = label_names(opened.metadata())
    layout = recognise([raw.value for raw in raws], settings, opened.name, like=like, label_names=own_labels)
    names = name_finder_of(settings, base)
    taker = Taker(layout, settings.clean, settings.private, settings.time, names, into.columns)
    number = len(into.sources)
    first: Kept | None = None
    rows_in = 0
    reasons: Counter[str] = Counter()
    lost: list[Dropped] = []  # the first of them
    for taken in in_order(
        partial(take, taker), chain(unreadable, found), chunk=ROWS_A_CHUNK, workers=1 if names else cores()
    ):
        rows_in += 1
        ledger.change(part, taken.changed)
        ledger.flag(part, taken.flagged)
        if taken.dropped:
            ledger.drop(part, [taken.dropped])
            reasons[taken.dropped.reason] += 1
            lost = lost or [taken.dropped]
        if taken.kept:
            first = first or taken.kept
            into.add(taken.kept, part, number)
    if first is None:
        raise nothing_left(part, reasons, lost[0])
    facts = opened.facts()
    into.sources.append(Source(
        part=part, file=facts.name, sha256=facts.sha256, bytes=facts.size_bytes, rows=rows_in, format=layout.name,
        keys=tuple(preview(key) for key in layout.read),
        unread_keys=tuple(preview(key) for key in layout.unread(raws[0].value)),
        first_row=proof(shown(row_of(first.line), settings.private, names)),
        notes=(*facts.notes, *_note_on_labels(layout, settings, own_labels)),
    ))  # fmt: skip
    say(_introduction(into.sources[-1]))
    return layout


def name_finder_of(settings: DataSettings, base: Path) -> NameFinder | None:
    """What finds names of persons, where the recipe names a model for it."""
    if settings.private.names_model is None or settings.private.action == "off":
        return None
    from burnish.data.private.names import name_finder  # it loads a model

    return name_finder(base / Path(settings.private.names_model).expanduser())


def _first_rows(found: Iterator[Raw | Dropped], unreadable: list[Raw | Dropped]) -> list[Raw]:
    """The rows that the format is recognised by. All that was taken from `found` stands in `unreadable` afterwards."""
    unreadable.extend(islice(found, LOOKED_AT))
    while not any(isinstance(one, Raw) for one in unreadable) and (more := list(islice(found, LOOKED_AT))):
        unreadable.extend(more)
    return [one for one in unreadable if isinstance(one, Raw)]


def _note_on_labels(
    layout: Format, settings: DataSettings, own_labels: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """That numbers were taken for names, which the file itself gives."""
    if settings.labels or not layout.labels or layout.labels not in own_labels.values():
        return ()
    names = [preview(name) for name in layout.labels[:NAMES_SHOWN]]
    more = ", …" if len(layout.labels) > NAMES_SHOWN else ""
    return (f"it names its {len(layout.labels)} numbered labels: {', '.join(names)}{more}",)


def _introduction(source: Source) -> str:
    unread = f"; not read: {', '.join(source.unread_keys[:8])}" if source.unread_keys else ""
    found = f"{source.format.replace('_', '/')} ({', '.join(source.keys)}; {source.rows} rows{unread})"
    notes = "".join(f"; {note}" for note in source.notes)
    return f"{source.part}: {source.file}: {found}{notes}; row 1: {source.first_row}"


def nothing_left(part: str, reasons: Counter[str], first: Dropped) -> DataError:
    """The error for a part of which every row was dropped: the reasons, and the first row's place."""
    commonest = reasons.most_common(3)
    return DataError(
        f"No row of {part} can be used.",
        where=f"{first.source} is the first: {first.reason}" + (f", {preview(first.detail)}" if first.detail else ""),
        seen="; ".join(f"{count} × {reason} ({REASONS[reason]})" for reason, count in commonest),
        next_move=NEXT_MOVES.get(first.reason, "mend the rows, or name the right file"),
    )
