"""One file of any kind → its rows and its facts, in one pass."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from burnish.core.errors import DataError
from burnish.core.files import check_room, disk_errors, sha256_of_file
from burnish.data.read.arrow_schema import schema_metadata
from burnish.data.read.arrow_stream import record_batches
from burnish.data.read.conll import read_conll
from burnish.data.read.csv_rows import read_csv
from burnish.data.read.json_document import is_document, read_json_document
from burnish.data.read.json_lines import read_json_lines
from burnish.data.read.kind import Kind, table_kind, text_kind
from burnish.data.read.paragraphs import read_paragraphs
from burnish.data.read.raw import FileFacts, RawOrDropped, Reading
from burnish.data.read.settings import ReadSettings
from burnish.data.read.stored import Stored, compression, opened, pieces, suffix_of
from burnish.data.read.text import decoded
from burnish.data.read.text_file import TextFile
from burnish.data.read.utf8 import Decoding
from burnish.model.bundled import cache_folder

ROOM_BYTES = 1 << 30  # that unpacking leaves free on the disk
PARQUET = b"PAR1"
TEXT_READERS = {
    "JSON lines": read_json_lines,
    "JSON": read_json_document,
    "CSV": read_csv,
    "CoNLL": read_conll,
    "text": read_paragraphs,
}


def read_file(path: Path, name: str, settings: ReadSettings, *, as_text: bool) -> Reading:
    """Rows of one file, and its facts as the value of the generator. `as_text` takes it for text if nothing else fits.

    Raises DataError: the file as a whole is unusable.
    """
    with opened(path) as file:
        stored = Stored(file)
        content = pieces(path, stored)
        head = next(content, b"")
        content = chain([head], content)
        kind = table_kind(head, suffix_of(name), name)
        if kind in ("parquet", "arrow"):
            yield from _some(_table_rows(path, name, kind, content), name)
            kind_name = "Parquet" if kind == "parquet" else "Arrow"
            return FileFacts(name, sha256_of_file(path), path.stat().st_size, kind_name, "")
        if kind:
            from burnish.data.read.tables import read_arrow_batches  # polars takes a while to import

            yield from _some(read_arrow_batches(record_batches(content, name), name), name)
            return FileFacts(name, stored.digest.hexdigest(), stored.size_bytes, "Arrow", "")
        text, reader = _text(content, name, settings, as_text=as_text)
        yield from _some(TEXT_READERS[reader](text), name)
        notes = tuple(note for note in (text.decoding.note, *text.notes) if note)
        return FileFacts(name, stored.digest.hexdigest(), stored.size_bytes, reader, text.decoding.encoding, notes)


def metadata_of(path: Path) -> dict[str, str]:
    """What a Parquet or Arrow file says about its columns; nothing of other files, and of one that cannot be read."""
    try:
        with path.open("rb") as file:
            if file.read(4) != PARQUET:
                file.seek(0)
                return schema_metadata(file)
    except OSError:
        return {}
    from burnish.data.read.tables import parquet_metadata

    return parquet_metadata(path)


def _text(content: Iterator[bytes], name: str, settings: ReadSettings, *, as_text: bool) -> tuple[TextFile, str]:
    """The text of a file before its first row is taken, and the name of its reader."""
    decoding = Decoding(name)
    texts = decoded(content, settings.encoding, decoding)
    head, after = next(texts, ""), next(texts, "")
    if not head.strip() and not after:
        raise DataError("The file is empty.", where=name, next_move="give a file with at least one row")
    suffix = suffix_of(name)
    kind = text_kind(head, suffix, name, as_text=as_text)
    if kind == "json":
        reader = "JSON" if is_document(head, whole=not after) else "JSON lines"
    else:
        reader = {"csv": "CSV", "conll": "CoNLL"}.get(kind, "text")
    return TextFile(name, suffix, chain([head, after], texts), decoding), reader


def _some(rows: Iterable[RawOrDropped], name: str) -> Iterator[RawOrDropped]:
    """The same rows. Raises DataError: there are none."""
    none = True
    for row in rows:
        none = False
        yield row
    if none:
        raise DataError("The file holds no rows.", where=name, next_move="give a file with at least one row")


def _table_rows(path: Path, name: str, kind: Kind, content: Iterator[bytes]) -> Iterator[RawOrDropped]:
    """Parquet and Arrow are read from their end, so a compressed one is unpacked into the cache for the while."""
    from burnish.data.read.tables import read_arrow, read_parquet

    read = read_parquet if kind == "parquet" else read_arrow
    if not compression(path):
        yield from read(path, name)
        return
    with contextlib.ExitStack() as stack:
        folder = cache_folder()
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            unpacked = stack.enter_context(tempfile.NamedTemporaryFile(dir=folder, prefix=".unpacked-"))
            for piece in content:
                check_room(folder, ROOM_BYTES)
                unpacked.write(piece)
            unpacked.flush()
        yield from read(Path(unpacked.name), name)
