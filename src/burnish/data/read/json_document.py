"""One JSON document → raw rows, however long it is: a list of rows, {"data": [rows]}, or a single row.

The document is read through a window that holds one row at a time. The place of a row is its number, from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from burnish.core.errors import DataError
from burnish.core.records import Dropped
from burnish.data.read.json_values import DoubledKeys, decoder, row_of
from burnish.data.read.raw import MOST_ROW_CHARACTERS, SHOWN_CHARACTERS, RawOrDropped
from burnish.data.read.text_file import TextFile, not_text

ROWS_KEY = "data"
SPACE = re.compile(r"[ \t\n\r]*")
# So close to the end of the window, an error may be no more than a literal or an escape cut in two.
CUT_CHARACTERS = 12
# Takes every value that is JSON by its shape, to find where one ends whose content is refused.
SHAPE = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass
class _Window:
    """The text around the place where the document is being read."""

    name: str
    texts: Iterator[str]
    text: str = ""
    at: int = 0
    line: int = 1  # on which `text` begins
    began: int = 0  # where the value taken last begins
    ended: bool = False

    def widen(self) -> bool:
        """Adds at least as much text as there is; False at the end of the file."""
        self.line += self.text.count("\n", 0, self.at)
        parts = [self.text[self.at :]]
        wanted = len(parts[0]) or 1
        self.at = 0
        while wanted > 0 and (part := next(self.texts, None)) is not None:
            parts.append(part)
            wanted -= len(part)
        self.text = "".join(parts)
        self.ended = len(parts) == 1
        return not self.ended

    def next_character(self) -> str:
        """The next character that is not space, without taking it; "" at the end."""
        while True:
            match = SPACE.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.widen():
                return ""

    def take(self, expected: str) -> None:
        """Moves behind a character that has to stand here."""
        if self.next_character() != expected:
            raise self.error(f"{expected} is expected here")
        self.at += 1

    def value(self, parser: json.JSONDecoder) -> Any:
        """The JSON value that starts here. Raises DataError: it is not JSON; ValueError: its content is refused."""
        self.next_character()
        while True:
            try:
                value, end = parser.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos >= len(self.text) - CUT_CHARACTERS
                if not cut or not self.may_widen():
                    self.at = error.pos
                    raise self.error(error.msg) from error
                continue
            except RecursionError as error:
                raise self.error("nested too deeply") from error
            if end == len(self.text) and self.may_widen():
                continue  # a number may go on
            self.began, self.at = self.at, end
            return value

    def may_widen(self) -> bool:
        if self.ended:
            return False
        if len(self.text) - self.at > MOST_ROW_CHARACTERS:
            raise self.error(f"a row of more than {MOST_ROW_CHARACTERS:,} characters")
        return self.widen()

    def error(self, why: str) -> DataError:
        line = self.line + self.text.count("\n", 0, self.at)
        return DataError(
            f"The JSON document is broken: {why[0].lower()}{why[1:]}.",
            where=f"{self.name}:{line}",
            seen=repr(self.text[max(0, self.at - 20) : self.at + SHOWN_CHARACTERS // 2]) if self.text else "",
            next_move="mend it, or write one JSON object a line",
        )


def read_json_document(file: TextFile) -> Iterator[RawOrDropped]:
    """The rows of a document. Raises DataError: it is not JSON from its beginning to its end."""
    window = _Window(file.name, file.texts)
    doubled = DoubledKeys()
    if window.next_character() == "{":
        yield from _rows_of_object(file, window, doubled)
    else:
        yield from _rows_of_list(file, window, doubled)
    if window.next_character():
        raise window.error("text stands after its end")
    if doubled.note:
        file.notes.append(doubled.note)


def _rows_of_list(file: TextFile, window: _Window, doubled: DoubledKeys) -> Iterator[RawOrDropped]:
    window.take("[")
    parser = decoder(doubled)
    number = 0
    while window.next_character() != "]":
        if number:
            window.take(",")
        number += 1
        source = f"{file.name}:{number}"
        doubled_before = doubled.objects
        try:
            row = row_of(window.value(parser), source)
        except DataError:
            raise
        except ValueError as error:
            window.value(SHAPE)
            row = Dropped(source, "not_json", str(error), window.text[window.began : window.at])
        if doubled.objects > doubled_before:
            doubled.note_row(source)
        if file.decoding.damaged and file.damaged(text := window.text[window.began : window.at]):
            row = not_text(source, text)
        yield row
    window.take("]")


def _rows_of_object(file: TextFile, window: _Window, doubled: DoubledKeys) -> Iterator[RawOrDropped]:
    """The rows under the key `data`; without such a list, the object itself is the only row."""
    window.take("{")
    parser = decoder(doubled)
    fields: dict[str, Any] = {}
    characters = 0
    found = False
    while window.next_character() != "}":
        if fields or found:
            window.take(",")
        key = _field(window, parser, file)
        window.take(":")
        if key == ROWS_KEY and window.next_character() == "[":
            found = True
            yield from _rows_of_list(file, window, doubled)
            continue
        fields[key] = _field(window, parser, file)
        characters += window.at - window.began
        if characters > MOST_ROW_CHARACTERS:
            raise window.error(
                f"one object of more than {MOST_ROW_CHARACTERS:,} characters, without a list `{ROWS_KEY}`"
            )
    window.take("}")
    if not found:
        yield row_of(fields, f"{file.name}:1")


def _field(window: _Window, parser: json.JSONDecoder, file: TextFile) -> Any:
    """A key or a value of the outermost object."""
    try:
        value = window.value(parser)
    except DataError:
        raise
    except ValueError as error:
        raise window.error(str(error)) from error
    if file.decoding.damaged and file.damaged(window.text[window.began : window.at]):
        raise window.error("bytes that are no text")
    return value


def is_document(head: str, *, whole: bool) -> bool:
    """Whether JSON is one document rather than lines, by its first piece; `whole` says that there is no other.

    Lines, unless the first one is the beginning of something longer, or a list that stands alone.
    """
    first, line_end, others = head.lstrip().partition("\n")
    if not line_end and not whole:
        return first.startswith("[") or _leads_to_rows(head)
    try:
        value = SHAPE.decode(first.rstrip())
    except json.JSONDecodeError as error:
        cut = error.pos >= len(first.rstrip()) and not error.msg.startswith("Unterminated")
        begins = first.startswith("[") or _leads_to_rows(first)
        return (cut and first.startswith(("{", "["))) or (begins and not others.strip())
    except RecursionError:
        return False
    if isinstance(value, dict):
        value = value.get(ROWS_KEY)
    return isinstance(value, list) and not others.strip()


def _leads_to_rows(head: str) -> bool:
    """Whether a list under the key `data` begins in this first piece of an object."""
    window = _Window("", iter([head]))
    try:
        window.take("{")
        while window.value(SHAPE) != ROWS_KEY or window.next_character() != ":":
            window.take(":")
            window.value(SHAPE)
            window.take(",")
        window.take(":")
        return window.next_character() == "["
    except DataError:
        return False
