"""An Arrow IPC stream, cut into streams of one record batch each, which any Arrow reader takes.

A stream is a row of messages: 0xFFFFFFFF, the length of the metadata, the metadata (a flatbuffer `Message`), the body.
Layout: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from burnish.core.errors import DataError

CONTINUATION = b"\xff\xff\xff\xff"
END = CONTINUATION + bytes(4)
SCHEMA, DICTIONARY, RECORDS = 1, 2, 3
HEADER_TYPE, BODY_LENGTH = 1, 3  # fields of the table `Message`, by number
MOST_METADATA_BYTES = 16 << 20
MOST_BODY_BYTES = 1 << 30


@dataclass
class _Content:
    """Bytes taken by count from pieces of any size."""

    pieces: Iterator[bytes]
    name: str
    rest: bytes = b""

    def take(self, count: int) -> list[bytes]:
        """The next bytes, in parts, so that a long body is put together only once."""
        parts = []
        while count > 0:
            if self.at_end():
                raise self.damaged("it ends in the middle of a batch")
            parts.append(self.rest[:count])
            count -= len(parts[-1])
            self.rest = self.rest[len(parts[-1]) :]
        return parts

    def at_end(self) -> bool:
        self.rest = self.rest or next(self.pieces, b"")
        return not self.rest

    def damaged(self, why: str) -> DataError:
        return DataError(
            "The Arrow file cannot be read.", where=self.name, seen=why, next_move="write it again, or copy it again"
        )


def record_batches(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Each record batch with the schema and the dictionaries that it needs before it, and an end after it.

    Raises DataError: the stream is damaged, or holds a batch of more than 1 GiB.
    """
    content = _Content(pieces, name)
    shared: list[bytes] = []
    shared_bytes = 0
    while not content.at_end():
        start = b"".join(content.take(8))
        length = int.from_bytes(start[4:], "little")
        if start == END:
            return
        if not start.startswith(CONTINUATION) or length > MOST_METADATA_BYTES:
            raise content.damaged("no message where one should begin")
        metadata = b"".join(content.take(length))
        try:
            kind, body_length = _message(metadata)
        except (struct.error, IndexError) as error:
            raise content.damaged("a message without its length") from error
        if not 0 <= body_length <= MOST_BODY_BYTES or shared_bytes > MOST_BODY_BYTES:
            raise content.damaged(f"a message of {body_length:,} bytes")
        if kind == RECORDS:
            yield b"".join([*shared, start, metadata, *content.take(body_length), END])
        else:
            shared += [start, metadata, *content.take(body_length)]
            shared_bytes += length + body_length


def _message(metadata: bytes) -> tuple[int, int]:
    """Type of the header and length of the body, out of a flatbuffer: a table whose fields are found by offsets."""
    (table,) = struct.unpack_from("<I", metadata)
    (back,) = struct.unpack_from("<i", metadata, table)
    offsets_at = table - back
    (offsets_end,) = struct.unpack_from("<H", metadata, offsets_at)

    def place(field: int) -> int:
        at = 4 + 2 * field
        return struct.unpack_from("<H", metadata, offsets_at + at)[0] if at < offsets_end else 0

    kind = metadata[table + place(HEADER_TYPE)] if place(HEADER_TYPE) else 0
    body = struct.unpack_from("<q", metadata, table + place(BODY_LENGTH))[0] if place(BODY_LENGTH) else 0
    return kind, body
