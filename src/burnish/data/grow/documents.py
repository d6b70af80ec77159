"""Documents in passages that a model can read at once, each with the place where it begins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from burnish.core.errors import DataError
from burnish.core.files import sha256_of_json
from burnish.core.records import Row, Text

MOST_CHARACTERS = 2000  # of a passage: some 500 tokens, which leaves room for questions in the smallest contexts
FEWEST_CHARACTERS = 40  # a heading alone answers no question
MOST_BYTES = 100 * 2**20  # of one document
ENDINGS = (".txt", ".md")
GROUP_DIGITS = 12
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?。！？]\s+|[。！？]"), re.compile(r"\s"))


@dataclass(frozen=True)
class Passage:
    """A part of a document. `source` is "file:line"; `id` is that of the row it is from, empty for a file."""

    text: str
    source: str
    group: str
    id: str = ""


def passages_of_rows(rows: Iterable[Row]) -> Iterator[Passage]:
    """The plain-text rows, in passages."""
    for row in rows:
        if isinstance(row, Text):
            for _, text in passages(row.text):
                yield Passage(text, row.source, row.group, row.id)


def passages_of_files(path: Path) -> Iterator[Passage]:
    """A text file, or all .txt and .md files of a folder and those below it, in passages. All of a file is one group.

    Raises DataError: there is no such file, it is not UTF-8 or too large, or the folder holds none.
    """
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix.lower() in ENDINGS)
    if not files:
        raise DataError(
            "There are no documents here.", where=str(path), next_move=f"name a file or a folder with {ENDINGS} files"
        )
    for file in files:
        name = path.name if file == path else str(file.relative_to(path))
        group = sha256_of_json(["document", name])[:GROUP_DIGITS]
        for line, text in passages(_read(file)):
            yield Passage(text, f"{name}:{line}", group)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise DataError(
                "The document is too large.",
                where=str(file),
                seen=f"{file.stat().st_size:,} bytes",
                next_move=f"cut it into files of at most {MOST_BYTES:,} bytes",
            )
        return file.read_text("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DataError(
            "The document is not UTF-8.", where=str(file), seen=str(error), next_move="convert it, or move it elsewhere"
        ) from error
    except OSError as error:
        raise DataError("The document cannot be read.", where=str(file), seen=error.strerror or str(error)) from error


def passages(text: str) -> Iterator[tuple[int, str]]:
    """(line from 1, text) of each passage: as many whole paragraphs as fit, else lines, sentences or words."""
    start, line = 0, 1
    while start < len(text):
        end = _end(text, start)
        found = text[start:end]
        if len(found.strip()) >= FEWEST_CHARACTERS:
            yield line + found[: len(found) - len(found.lstrip())].count("\n"), found.strip()
        line += found.count("\n")
        start = end


def _end(text: str, start: int) -> int:
    """Where the passage from `start` ends: at the last break of the best kind in its second half."""
    if len(text) - start <= MOST_CHARACTERS + FEWEST_CHARACTERS:  # what would be left is no passage
        return len(text)
    window = text[start : start + MOST_CHARACTERS]
    for kind in _BREAKS:
        ends = [found.end() for found in kind.finditer(window, MOST_CHARACTERS // 2)]
        if ends:
            return start + ends[-1]
    return start + MOST_CHARACTERS
