"""JSON lines → raw rows. A line that is no JSON object is dropped, the others are read."""

from __future__ import annotations

from collections.abc import Iterator

from burnish.core.records import Dropped
from burnish.data.read.json_values import DoubledKeys, decoder, row_of
from burnish.data.read.raw import RawOrDropped
from burnish.data.read.text import LongLine
from burnish.data.read.text_file import TextFile, not_text, too_long

BYTE_ORDER_MARK = "\ufeff"  # stands before a line where files were joined


def read_json_lines(file: TextFile) -> Iterator[RawOrDropped]:
    """One row a line; blank lines are passed over."""
    doubled = DoubledKeys()
    decode = decoder(doubled).decode
    for number, line in enumerate(file.lines(), start=1):
        if not line:
            continue
        source = f"{file.name}:{number}"
        if isinstance(line, LongLine):
            yield too_long(source, line)
            continue
        text = line.strip().lstrip(BYTE_ORDER_MARK)
        if not text:
            continue
        if file.damaged(text):
            yield not_text(source, text)
            continue
        doubled_before = doubled.objects
        try:
            value = decode(text)
        except RecursionError:
            yield Dropped(source, "not_json", "nested too deeply", line)
        except ValueError as error:
            yield Dropped(source, "not_json", str(error), line)
        else:
            if doubled.objects > doubled_before:
                doubled.note_row(source)
            yield row_of(value, source)
    if doubled.note:
        file.notes.append(doubled.note)
