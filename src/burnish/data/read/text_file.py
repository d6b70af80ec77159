"""A text file on its way to rows: what every reader of text needs of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from burnish.core.records import Dropped
from burnish.data.read.raw import MOST_ROW_CHARACTERS
from burnish.data.read.text import LongLine, is_damaged, lines, storable
from burnish.data.read.utf8 import Decoding


@dataclass
class TextFile:
    """`texts` are the pieces of its text, the first of them already looked at; `notes` grow while it is read."""

    name: str
    suffix: str
    texts: Iterator[str]
    decoding: Decoding
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str | LongLine]:
        return lines(self.texts)

    def damaged(self, text: str) -> bool:
        """Whether this text of the file holds bytes that were no text."""
        return self.decoding.damaged and is_damaged(text)


def not_text(source: str, text: str) -> Dropped:
    """A row that is lost to bytes that are no text."""
    wrong = next(character for character in text if "\ud800" <= character <= "\udfff")
    detail = f"the byte 0x{ord(wrong) - 0xDC00:02x}" if wrong >= "\udc80" else "half a character"
    return Dropped(source, "not_utf8", detail, storable(text))


def too_long(source: str, line: LongLine) -> Dropped:
    """A line or paragraph beyond the limit; only its start is kept."""
    return Dropped(source, "line_too_long", f"more than {MOST_ROW_CHARACTERS:,} characters", storable(line.start))
