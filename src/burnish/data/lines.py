"""What is written of a part: usually each row once; instead of one too long what was made of it; rows of rare sources
and labels several times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import DataError
from burnish.core.hardware import cores
from burnish.core.records import Dropped, Row, Text
from burnish.data.cleaning.labels import are_label_rows
from burnish.data.cleaning.outcome import Observation
from burnish.data.intake import PARTS
from burnish.data.measure import LengthsOf
from burnish.data.mix.fitting import Shortened
from burnish.data.mix.longer import shorten
from burnish.data.mix.settings import Longer
from burnish.data.mix.uses import listed, uses
from burnish.data.selection import Selection
from burnish.data.settings import DataSettings
from burnish.data.store import RowStore, line_of
from burnish.data.workers import in_order
from burnish.render.batch import Length

ROWS_A_CHUNK = 16  # making a row fit takes many looks at its length
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """M lines of one part: the row that each comes from, where in the store it lies, and its lengths."""

    row_M: Indices
    stored_M: Indices
    tokens_M: Indices
    learnt_M: Indices

    def __len__(self) -> int:
        return len(self.row_M)

    def taken(self, order: Indices) -> Lines:
        """Those at these places, in this order."""
        return Lines(self.row_M[order], self.stored_M[order], self.tokens_M[order], self.learnt_M[order])


@dataclass(frozen=True)
class Piece:
    """A row that was made of a longer one, as it lies in the store."""

    stored: int
    length: Length


@dataclass(frozen=True)
class _Fitted:
    shortened: Shortened
    lengths: tuple[Length, ...] = ()


def fit(
    selection: Selection, lengths_N: NDArray[np.void], policy: Longer, *, lengths_of: LengthsOf, context: int
) -> dict[int, tuple[Piece, ...]]:
    """Makes of each row that is longer than the context what `policy` says, or leaves it out. Row → its pieces.

    An item of the test stays one item: it may be cut, never split.
    """
    pieces: dict[int, tuple[Piece, ...]] = {}
    for part in PARTS[:3]:
        numbers = selection.numbers(part)
        longer = numbers[lengths_N["tokens"][numbers] > context].tolist()
        allowed = policy if part != "test" or policy != "split" else "drop"
        make = partial(_fitted, selection.rows.store, lengths_of, allowed, context, part == "test")
        for number, one in zip(longer, in_order(make, longer, chunk=ROWS_A_CHUNK, workers=cores()), strict=True):
            came_from = selection.rows.sources[selection.rows.source_N[number]].part
            selection.ledger.change(came_from, one.shortened.changed)
            selection.ledger.drop(came_from, one.shortened.dropped)
            if not one.shortened.rows:
                selection.alive_N[number] = False
                continue
            pieces[number] = tuple(
                Piece(selection.rows.store.append(line_of(row)), length)
                for row, length in zip(one.shortened.rows, one.lengths, strict=True)
            )
            selection.made["split"] += one.shortened.made
    return pieces


def _fitted(
    store: RowStore, lengths_of: LengthsOf, policy: Longer, context: int, whole: bool, numbers: list[int]
) -> list[_Fitted]:
    def length_of(row: Row) -> Length:
        found = next(lengths_of([row]))
        if isinstance(found, DataError):
            raise found
        return found

    fitted = []
    for row in (store[number] for number in numbers):
        allowed = "drop" if whole and isinstance(row, Text) else policy
        try:
            found = shorten(row, context, lambda one: length_of(one).tokens, allowed)
            fitted.append(_Fitted(found, tuple(map(length_of, found.rows))))
        except DataError as error:
            dropped = Dropped(row.source, "not_renderable", f"{error.what} {error.seen}".strip(), row.to_json())
            fitted.append(_Fitted(Shortened((), dropped=(dropped,))))
    return fitted


def lines_of(
    selection: Selection, lengths_N: NDArray[np.void], pieces: Mapping[int, tuple[Piece, ...]], part: str
) -> Lines:
    """The lines of a part: its rows in the order in which they were read, pieces in the place of their row."""
    numbers = selection.numbers(part)
    tokens_M, learnt_M = lengths_N["tokens"][numbers].astype(np.int64), lengths_N["learnt"][numbers].astype(np.int64)
    plain = Lines(numbers, numbers, tokens_M, learnt_M)
    made = [(number, piece) for number in numbers.tolist() for piece in pieces.get(number, ())] if pieces else []
    if not made:
        return plain
    plain = plain.taken(np.flatnonzero(~np.isin(numbers, list(pieces))))
    both = Lines(
        np.append(plain.row_M, [number for number, _ in made]),
        np.append(plain.stored_M, [piece.stored for _, piece in made]),
        np.append(plain.tokens_M, [piece.length.tokens for _, piece in made]),
        np.append(plain.learnt_M, [piece.length.learnt for _, piece in made]),
    )
    return both.taken(np.lexsort((both.stored_M, both.row_M)))


def mixed(selection: Selection, lines: Lines, settings: DataSettings, seed: int) -> Lines:
    """The lines of train as often and in the order that the recipe asks for. What is left out is recorded."""
    rows = selection.rows
    entry_M = np.array(rows.entry_S, np.int64)[np.array(rows.source_N, np.int64)[lines.row_M]]
    features = selection.features[lines.row_M]
    labels = np.unique(features["answer"], return_inverse=True)[1] if are_label_rows(features) else None
    weight_S = np.array([source.weight for source in settings.train_sources])
    uses_M = uses(entry_M, labels, rows.keys()[lines.row_M], weight_S, settings.mix, seed)
    _record(selection, lines, settings, entry_M, uses_M)
    return lines.taken(listed(uses_M, lines.tokens_M if settings.order == "short_first" else None).row_M)


def _record(selection: Selection, lines: Lines, settings: DataSettings, entry_M: Indices, uses_M: Indices) -> None:
    selection.alive_N[np.setdiff1d(lines.row_M[uses_M == 0], lines.row_M[uses_M > 0])] = False
    for place in np.flatnonzero(uses_M == 0).tolist():
        row = selection.rows.store[int(lines.stored_M[place])]
        selection.ledger.drop("train", [Dropped(row.source, "mixed_out", "", row.to_json())])
    selection.made["repeated"] += int(np.maximum(uses_M - 1, 0).sum())
    if (uses_M != 1).any():
        for entry, source in enumerate(settings.train_sources):
            own_M = uses_M[entry_M == entry]
            detail = f"{source.name or source.file}: {len(own_M)} rows of train are used {own_M.sum()} times"
            selection.observations.append(Observation("mixed", detail))
