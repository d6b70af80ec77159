"""Bytes → text, whatever the encoding; and text → lines, none of which is ever held beyond the limit."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from burnish.core.errors import DataError
from burnish.data.read.raw import MOST_ROW_CHARACTERS, SHOWN_CHARACTERS
from burnish.data.read.utf8 import Decoding, utf8

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}
# Where the zero bytes of two plain characters stand, or of one in UTF-32.
UNMARKED: dict[tuple[bool, ...], str] = {
    (False, False, False, True): "utf-32-be",
    (True, False, False, False): "utf-32-le",
    (False, True, False, True): "utf-16-be",
    (True, False, True, False): "utf-16-le",
}
SAMPLE_BYTES = 4096


@dataclass(frozen=True)
class LongLine:
    """What is kept of a line beyond the limit: its start and how many quotation marks it holds."""

    start: str
    quotes: int


def decoded(pieces: Iterator[bytes], encoding: str, found: Decoding) -> Iterator[str]:
    """The text of a file, a piece at a time, without byte order mark and with every line end as "\\n".

    Bytes that are no text come out as lone surrogates, so that only their rows are lost; `found.damaged` is set then.

    Raises DataError: `encoding` is unknown, or is "auto" and cannot be told with certainty.
    """
    head = next(pieces, b"")
    mark = next((mark for mark in MARKS if head.startswith(mark)), b"")
    unmarked = "" if mark else _unmarked(head)
    found.encoding = _known(encoding, found.name) if encoding != "auto" else MARKS.get(mark) or unmarked or "utf-8"
    if (mark and MARKS[mark] == found.encoding) or mark == codecs.BOM_UTF8:
        head = head[len(mark) :]
    content = chain([head], pieces)
    if found.encoding == "utf-8":
        return _line_ends(utf8(content, found, guess=encoding == "auto" and not mark))
    if unmarked == found.encoding:
        first_line = head[:SAMPLE_BYTES].decode(unmarked, "replace").split("\n")[0]
        found.note = f"read as {unmarked}, though no byte order mark says so; line 1: {first_line[:SHOWN_CHARACTERS]}"
    return _line_ends(_other(content, found))


def _unmarked(head: bytes) -> str:
    """UTF-16 or UTF-32 without a mark, where the zero bytes of the first characters and all of a sample say so."""
    name = UNMARKED.get(tuple(map(bool, head[:4])), "")
    sample = head[:SAMPLE_BYTES]
    try:
        return name if name and "\0" not in sample[: len(sample) // 4 * 4].decode(name) else ""
    except UnicodeDecodeError as error:
        return name if error.start >= len(sample) - 4 else ""


def _known(encoding: str, name: str) -> str:
    try:
        codec = codecs.lookup(encoding)
        codecs.getincrementaldecoder(codec.name)("surrogateescape").decode("plain".encode(codec.name))
    except (LookupError, UnicodeError) as error:
        raise DataError(
            "There is no such encoding.", where=name, seen=encoding, next_move="write a name such as windows-1251"
        ) from error
    return "utf-8" if codec.name == "utf-8-sig" else codec.name


def _other(pieces: Iterable[bytes], found: Decoding) -> Iterator[str]:
    found.damaged = True  # cannot be told piece by piece: every line is looked at
    wide = found.encoding.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(found.encoding)("surrogatepass" if wide else "surrogateescape")
    try:
        for piece in pieces:
            yield decoder.decode(piece)
    except UnicodeDecodeError as error:
        raise DataError(
            f"The file is not {found.encoding}.", where=found.name, seen=str(error), next_move="write it again as UTF-8"
        ) from error
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        yield "\udcff"  # half a character at the end: the last row is damaged


def _line_ends(texts: Iterable[str]) -> Iterator[str]:
    held = ""
    for text in texts:
        if held or "\r" in text:
            text = held + text
            held = "\r" if text.endswith("\r") else ""
            text = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", "\n")
        yield text
    if held:
        yield "\n"


@dataclass
class _OpenLine:
    """A line that may go on in the next piece of text."""

    most: int
    parts: list[str] = field(default_factory=list)
    length: int = 0
    start: str = ""
    quotes: int = 0

    def add(self, text: str) -> None:
        self.length += len(text)
        self.parts.append(text)
        if self.length > self.most:
            self.start = self.start or "".join(self.parts)[:SHOWN_CHARACTERS]
            self.quotes += sum(part.count('"') for part in self.parts)
            self.parts.clear()

    def close(self) -> str | LongLine:
        return LongLine(self.start, self.quotes) if self.length > self.most else "".join(self.parts)


def lines(texts: Iterable[str], most: int = MOST_ROW_CHARACTERS) -> Iterator[str | LongLine]:
    """Lines without their ends."""
    line = _OpenLine(most)
    for text in texts:
        first, *others = text.split("\n")
        line.add(first)
        if others:
            yield line.close()
            *whole, last = others
            yield from whole
            line = _OpenLine(most)
            line.add(last)
    if line.length:
        yield line.close()


def is_damaged(line: str) -> bool:
    """Whether a line holds bytes that were no text."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return True
    return False


def storable(line: str) -> str:
    r"""A damaged line as UTF-8 can hold it: a byte 0xE9 that is no text becomes \udce9."""
    return line.encode(errors="backslashreplace").decode()
