"""Plain text → raw rows: a row is a paragraph, that is lines between blank ones; its place is its first line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from burnish.data.read.raw import MOST_ROW_CHARACTERS, SHOWN_CHARACTERS, Raw, RawOrDropped
from burnish.data.read.text import LongLine
from burnish.data.read.text_file import TextFile, not_text, too_long


@dataclass
class _Paragraph:
    """The lines of a paragraph while it is no longer than the limit, then only its start."""

    first: int
    lines: list[str] = field(default_factory=list)
    length: int = 0
    start: str = ""

    def add(self, line: str | LongLine) -> None:
        text = line.start if isinstance(line, LongLine) else line
        self.length += MOST_ROW_CHARACTERS + 1 if isinstance(line, LongLine) else len(line) + 1
        self.lines.append(text)
        if self.length > MOST_ROW_CHARACTERS:
            self.start = self.start or "\n".join(self.lines)[:SHOWN_CHARACTERS]
            self.lines.clear()


def read_paragraphs(file: TextFile) -> Iterator[RawOrDropped]:
    """Raw rows of one key, `text`."""
    paragraph: _Paragraph | None = None
    for number, line in enumerate(file.lines(), start=1):
        if isinstance(line, LongLine) or line.strip():
            paragraph = paragraph or _Paragraph(number)
            paragraph.add(line)
        elif paragraph:
            yield _row(file, paragraph)
            paragraph = None
    if paragraph:
        yield _row(file, paragraph)


def _row(file: TextFile, paragraph: _Paragraph) -> RawOrDropped:
    source = f"{file.name}:{paragraph.first}"
    if paragraph.length > MOST_ROW_CHARACTERS:
        return too_long(source, LongLine(paragraph.start, 0))
    text = "\n".join(paragraph.lines).strip()
    return not_text(source, text) if file.damaged(text) else Raw(source, {"text": text})
