"""What the files beside the data say about its licence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from burnish.data.card.facts import LicenceNote

WHOLE = re.compile(r"(licen[cs]es?|copying|unlicense)(?![a-z])", re.IGNORECASE)
MENTIONS = re.compile(r"(source|readme|dataset_?card)(?![a-z])", re.IGNORECASE)
LICENCE = re.compile(r"\blicen[cs]ed?\b", re.IGNORECASE)
MOST_BYTES = 64_000
MOST_NOTES = 8
LONGEST_QUOTE = 160  # characters


def licences_beside(files: Iterable[Path]) -> tuple[LicenceNote, ...]:
    """Quotes from LICENSE, SOURCE and README files in the folders of these data files, at most `MOST_NOTES`.

    A file that cannot be read gives no note: this is a look around, not an input.
    """
    folders = dict.fromkeys(file.absolute().parent for file in files)
    notes = (note for folder in folders for path in _texts_in(folder) for note in _notes(path))
    return tuple(note for note, _ in zip(notes, range(MOST_NOTES), strict=False))


def _texts_in(folder: Path) -> list[Path]:
    try:
        names = (path for path in folder.iterdir() if WHOLE.match(path.name) or MENTIONS.match(path.name))
        return sorted(path for path in names if path.is_file())
    except OSError:
        return []


def _notes(path: Path) -> list[LicenceNote]:
    """The beginning of a licence's text; of other files the first two lines that speak of a licence."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = [line.strip() for line in text.splitlines() if any(map(str.isalnum, line))]
    quotes = [" ".join(lines[:2])] if WHOLE.match(path.name) else list(filter(LICENCE.search, lines))[:2]
    return [LicenceNote(path.name, _shortened(quote)) for quote in quotes if quote]


def _shortened(quote: str) -> str:
    return quote if len(quote) <= LONGEST_QUOTE else quote[: LONGEST_QUOTE - 1] + "…"
