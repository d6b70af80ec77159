"""What an Arrow file says about its columns: the keys and values of its schema, which stand in its first message.

The message is a flatbuffer: tables whose fields are found by offsets.
Layout: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format and Schema.fbs there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

FILE_MAGIC = b"ARROW1\0\0"  # the file format: this, then the stream format
CONTINUATION = b"\xff\xff\xff\xff"
MOST_METADATA_BYTES = 16 << 20
MOST_KEYS = 1000
HEADER = 2  # field of the table `Message`, by number
CUSTOM_METADATA = 2  # of `Schema`
KEY, VALUE = 0, 1  # of `KeyValue`


def schema_metadata(file: IO[bytes]) -> dict[str, str]:
    """The keys and values of the schema of an Arrow file or stream, read from its beginning.

    Empty where there are none, or none that can be read: the rows are what counts, and their reader names the damage.
    """
    start = file.read(8)
    if start == FILE_MAGIC:
        start = file.read(8)
    length = int.from_bytes(start[4:], "little")
    if not start.startswith(CONTINUATION) or length > MOST_METADATA_BYTES:
        return {}
    buffer = _Buffer(file.read(length))
    try:
        schema = buffer.followed(buffer.field(buffer.followed(0), HEADER))
        found = buffer.field(schema, CUSTOM_METADATA)
        if not found:
            return {}
        vector = buffer.followed(found)
        count = buffer.number("<I", vector)
        tables = [buffer.followed(vector + 4 + 4 * place) for place in range(min(count, MOST_KEYS))]
        return _pairs(buffer, tables)
    except (struct.error, ValueError):
        return {}


def _pairs(buffer: _Buffer, tables: list[int]) -> dict[str, str]:
    """Key and value of each table, which together are no longer than what they stand in."""
    found: dict[str, str] = {}
    room = len(buffer.content)
    for table in tables:
        key, value = buffer.text(buffer.field(table, KEY)), buffer.text(buffer.field(table, VALUE))
        room -= len(key) + len(value)
        if room < 0:
            return {}
        found[key] = value
    return found


@dataclass(frozen=True)
class _Buffer:
    """Places in it count from its beginning. Raises struct.error: a place outside of it."""

    content: bytes

    def number(self, kind: str, place: int) -> int:
        if place < 0:
            raise struct.error("a place before the beginning")
        value: int = struct.unpack_from(kind, self.content, place)[0]
        return value

    def followed(self, place: int) -> int:
        """Where the offset at a place leads."""
        return place + self.number("<I", place)

    def field(self, table: int, number: int) -> int:
        """The place of a table's field; 0 where it has none."""
        offsets = table - self.number("<i", table)
        at = 4 + 2 * number
        within = self.number("<H", offsets + at) if at < self.number("<H", offsets) else 0
        return table + within if within else 0

    def text(self, place: int) -> str:
        if not place:
            return ""
        start = self.followed(place)
        end = start + 4 + self.number("<I", start)
        if end > len(self.content):
            raise struct.error("a text that goes on behind the end")
        return self.content[start + 4 : end].decode("utf-8")
