"""Rows that a model makes, after the split: from train alone, for train alone, held against every part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from burnish.core.asking import Writer
from burnish.core.errors import DataError
from burnish.core.records import Dropped, Row
from burnish.core.run_folder import RunFolder
from burnish.data.cleaning.outcome import Cleaned
from burnish.data.cleaning.rows import clean_row
from burnish.data.grow.apart import keep_apart
from burnish.data.grow.documents import Passage, passages_of_files, passages_of_rows
from burnish.data.grow.grow import grow
from burnish.data.grow.made import Grown, LocalWriter, Made
from burnish.data.grow.settings import GrowSettings
from burnish.data.intake import name_finder_of
from burnish.data.lines import Lines
from burnish.data.measure import LengthsOf
from burnish.data.private.rows import protect
from burnish.data.selection import Selection
from burnish.data.settings import DataSettings
from burnish.render.batch import Length

PART = "made"  # in the counts, beside the parts that rows come from
SAID_EVERY = 100  # texts
Say: TypeAlias = Callable[[str], None]


def grow_train(
    settings: DataSettings,
    folder: RunFolder,
    selection: Selection,
    train: Callable[[], Iterable[Row]],
    *,
    base: Path,
    seed: int,
    lengths_of: LengthsOf,
    context: int,
    local_writer: LocalWriter | None,
    say: Say,
) -> Grown:
    """Asks for rows, and notes why each that is not used is not. `train` gives the rows of train with their groups.

    `local_writer` makes of the name of a model on this machine one that can be asked.

    Raises DataError: there is nothing to make rows from, or the model does not answer.
    """
    if not settings.grow.on:
        return Grown()
    tried = 0
    made: list[Made] = []
    for found in _asked_for(settings, folder, train, base, seed, local_writer, say):
        tried += 1
        if isinstance(found, Dropped):
            selection.ledger.drop(PART, [found])
        else:
            made.append(found)
        if tried % SAID_EVERY == 0:
            say(f"grow: {tried} texts made, {len(made)} of use so far")
    fitting = list(_fitting(made, selection, lengths_of, context))
    kept, repeating = keep_apart(
        [one for one, _ in fitting],
        train=train(),
        held=(selection.row(number) for number in selection.numbers("dev", "test", "benchmark").tolist()),
        settings=settings.duplicates,
        folder=folder.data,
    )
    selection.ledger.drop(PART, repeating)
    for one in kept:
        selection.ledger.flag(PART, one.flagged)
    selection.made["grown"] += tried
    lengths = {one.row.id: length for one, length in fitting}  # equal rows are equally long
    return Grown(tuple(kept), tuple(lengths[one.row.id] for one in kept), tried)


def without_replaced(selection: Selection, lines: Lines, rows: Iterable[Row], grown: Grown) -> Lines:
    """The lines of train, which hold `rows`, but for those whose place a made row takes."""
    heirs = {one.instead: one.row.id for one in grown.made if one.instead}
    if not heirs:
        return lines
    left: list[int] = []
    for place, row in enumerate(rows):
        if row.id in heirs:
            dropped = Dropped(row.source, "rewritten", f"in its place: {heirs[row.id]}", row.to_json())
            selection.ledger.drop("train", [dropped])
        else:
            left.append(place)
    remaining = lines.taken(np.array(left, np.int64))
    selection.alive_N[np.setdiff1d(lines.row_M, remaining.row_M)] = False
    return remaining


def _asked_for(
    settings: DataSettings,
    folder: RunFolder,
    train: Callable[[], Iterable[Row]],
    base: Path,
    seed: int,
    local_writer: LocalWriter | None,
    say: Say,
) -> Iterator[Made | Dropped]:
    writer = _writer(settings.grow, local_writer)
    away = "; rows of train leave this machine" if settings.grow.sends_away else ""
    say(f"grow: asking {writer.model.shown}{away}")
    names = name_finder_of(settings, base)

    def clean(row: Row) -> Cleaned:
        return protect(clean_row(row, settings.clean), settings.private, names)

    passages = _passages(settings.grow, train, base)
    yield from grow(train(), passages, settings.grow, writer, kept=folder.replies, seed=seed, clean=clean)


def _writer(settings: GrowSettings, local_writer: LocalWriter | None) -> Writer:
    if settings.address is not None:
        from burnish.data.grow.openai import served_writer  # sockets and TLS

        return served_writer(settings)
    assert settings.model is not None
    if local_writer is None:
        raise DataError("Nobody here can ask a model on this machine.", where="data.grow.model", seen=settings.model)
    return local_writer(settings.model)


def _passages(settings: GrowSettings, train: Callable[[], Iterable[Row]], base: Path) -> Iterator[Passage]:
    if settings.documents is not None:
        return passages_of_files(base / Path(settings.documents).expanduser())
    return passages_of_rows(train())


def _fitting(
    made: list[Made], selection: Selection, lengths_of: LengthsOf, context: int
) -> Iterator[tuple[Made, Length]]:
    """Those that the model which learns can read whole, and that a person did not mark to be dropped."""
    for one, length in zip(made, lengths_of(one.row for one in made), strict=True):
        if one.row.id in selection.unwanted:
            reason, detail = "review_drop", ""
        elif isinstance(length, DataError):
            reason, detail = "not_renderable", f"{length.what} {length.seen}".strip()
        elif length.tokens > context:
            reason, detail = "too_long", f"{length.tokens} tokens, context {context}"
        else:
            yield one, length
            continue
        selection.ledger.drop(PART, [Dropped(one.row.source, reason, detail, one.row.to_json())])
