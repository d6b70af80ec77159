"""A folder of texts → one row a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from burnish.core.errors import DataError
from burnish.core.files import sha256_of_json
from burnish.core.records import Dropped
from burnish.data.read.raw import MOST_ROW_CHARACTERS, SHOWN_CHARACTERS, FileFacts, Raw, RawOrDropped, Reading
from burnish.data.read.settings import ReadSettings
from burnish.data.read.stored import Stored, opened, pieces
from burnish.data.read.text import LongLine, decoded, is_damaged
from burnish.data.read.text_file import not_text, too_long
from burnish.data.read.utf8 import Decoding

MOST_NOTES = 3


def read_text_folder(name: str, files: Sequence[tuple[Path, str]], settings: ReadSettings) -> Reading:
    """Rows of one key, `text`, for files given as (path, name inside the folder).

    A file that cannot be read is dropped. The hash is that of the names and hashes of the files.
    """
    digests: dict[str, str] = {}
    encodings: Counter[str] = Counter()
    notes: list[str] = []
    size_bytes = 0
    for path, inside in files:
        source = f"{name.rstrip('/')}/{inside}"
        decoding = Decoding(source)
        stored: Stored | None = None
        try:
            with opened(path) as file:
                stored = Stored(file)
                yield _row(stored, path, decoding, settings)
        except DataError as error:
            yield Dropped(f"{source}:1", "not_readable", f"{error.what} {error.seen}".strip())
        if stored:
            digests[inside] = stored.digest.hexdigest()
            size_bytes += stored.size_bytes
        encodings[decoding.encoding] += 1
        notes += [f"{source}: {decoding.note}"] if decoding.note else []
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"and {len(notes) - MOST_NOTES} more files that are not UTF-8"]
    encoding = ", ".join(name for name, _ in encodings.most_common())
    return FileFacts(name, sha256_of_json(digests), size_bytes, "folder of texts", encoding, tuple(notes))


def _row(stored: Stored, path: Path, decoding: Decoding, settings: ReadSettings) -> RawOrDropped:
    source = f"{decoding.name}:1"
    parts: list[str] = []
    characters = 0
    for part in decoded(pieces(path, stored), settings.encoding, decoding):
        characters += len(part)
        if characters <= MOST_ROW_CHARACTERS:
            parts.append(part)
    text = "".join(parts).strip()
    if characters > MOST_ROW_CHARACTERS:
        return too_long(source, LongLine(text[:SHOWN_CHARACTERS], 0))
    return not_text(source, text) if is_damaged(text) else Raw(source, {"text": text})
