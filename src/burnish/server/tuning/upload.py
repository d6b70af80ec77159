"""POST /v1/files: a multipart body goes straight to the disk, piece by piece, and is refused once it is too large."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from burnish.core.files import disk_errors
from burnish.server.api_error import ApiError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

# What it would say of every broken form, in words of its own, is said in the answer.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())

MOST_BYTES = 512 * 2**20  # of a file, as OpenAI has it
MOST_PARTS = 16
MOST_FIELD = 4096  # bytes of a field that is no file, or of a part's headers


@dataclass
class Upload:
    """What came in: the fields, and where the file lies."""

    content: Path
    filename: str | None = None
    fields: dict[str, str] = field(default_factory=dict)


async def receive(content_type: str, pieces: AsyncIterator[bytes], folder: Path, most: int = MOST_BYTES) -> Upload:
    """Reads the body into `folder`. Raises ApiError: it is no multipart form, holds too much, or no file."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise ApiError(
            400, "The request's content type must be multipart/form-data with a boundary.", code="invalid_type"
        )
    upload = Upload(folder / f".upload-{secrets.token_hex(16)}")
    try:
        with disk_errors(upload.content), upload.content.open("xb") as file:
            reader = _Reader(upload, file, most)
            parser = MultipartParser(options[b"boundary"], reader.callbacks())
            async for piece in pieces:
                parser.write(piece)
            parser.finalize()
        if upload.filename is None:
            raise ApiError(400, "Missing required parameter: 'file'.", param="file", code="missing_required_parameter")
    except MultipartParseError as error:
        upload.content.unlink(missing_ok=True)
        raise ApiError(400, f"The form cannot be read: {error}.") from error
    except BaseException:
        upload.content.unlink(missing_ok=True)
        raise
    return upload


class _Reader:
    """What the parser calls: headers of a part, then its data."""

    def __init__(self, upload: Upload, file: BinaryIO, most: int) -> None:
        self._upload, self._file, self._left = upload, file, most
        self._most, self._parts = most, 0
        self._name, self._is_file, self._text = "", False, bytearray()
        self._header, self._value, self._headers = bytearray(), bytearray(), dict[bytes, bytes]()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin, "on_header_field": self._header_field, "on_header_value": self._header_value,
            "on_header_end": self._header_end, "on_headers_finished": self._headers_finished,
            "on_part_data": self._data, "on_part_end": self._end,
        }  # fmt: skip

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ApiError(400, f"The form has more than {MOST_PARTS} parts.")
        self._name, self._is_file = "", False
        self._text.clear()
        self._headers.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._add(self._header, data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._add(self._value, data[start:end])

    def _add(self, to: bytearray, data: bytes) -> None:
        if len(to) + len(data) > MOST_FIELD:
            raise ApiError(400, f"A field of the form is longer than {MOST_FIELD} bytes.")
        to += data

    def _header_end(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = self._name == "file" and b"filename" in options
        if not self._is_file:
            return
        if self._upload.filename is not None:
            raise ApiError(400, "One file at a time can be uploaded.", param="file")
        self._upload.filename = options[b"filename"].decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._add(self._text, data[start:end])
            return
        self._left -= end - start
        if self._left < 0:
            raise ApiError(413, f"The file is larger than the {self._most:,} bytes that are taken.", param="file",
                           code="file_too_large")  # fmt: skip
        self._file.write(data[start:end])

    def _end(self) -> None:
        if not self._is_file:
            self._upload.fields[self._name] = self._text.decode("utf-8", "replace")
