"""A path → the file's bytes and text, or an error that says how to mend the file."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from burnish.core.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Loaded:
    """One input file. `name` is the path as the user wrote it, `content` the bytes after decompression."""

    name: str
    content: bytes
    sha256: str
    size_bytes: int

    @property
    def suffix(self) -> str:
        """ ".jsonl" of "train.jsonl.gz"."""
        name = self.name.lower()
        return Path(name.removesuffix(".gz")).suffix


def load(path: Path, name: str) -> Loaded:
    """Reads and, where needed, decompresses a file.

    Raises DataError: absent, not a file, unreadable, empty, damaged compression.
    """
    if not path.exists():
        raise DataError("There is no such file.", where=str(path), next_move=_neighbours(path))
    if not path.is_file():
        raise DataError("This is not a file.", where=str(path), next_move="name the file itself, such as train.jsonl")
    try:
        stored = path.read_bytes()
        content = gzip.decompress(stored) if stored.startswith(GZIP_MAGIC) else stored
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            "The compressed file is damaged.", where=str(path), seen=str(error), next_move="copy or download it again"
        ) from error
    except OSError as error:
        raise DataError("The file cannot be read.", where=str(path), seen=error.strerror or str(error)) from error
    if not content.strip():
        raise DataError("The file is empty.", where=str(path), next_move="give a file with at least one row")
    return Loaded(name, content, hashlib.sha256(stored).hexdigest(), len(stored))


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"check the path: the folder {path.parent} does not exist either"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())[:8]
    return f"check the path; this folder holds: {', '.join(names) or 'no files'}"


def decode(file: Loaded) -> str:
    """The text of a file, without a byte order mark.

    Raises DataError: not UTF-8, with the first wrong byte's place and the command that converts the file.
    """
    convert = f"convert it: iconv -f {{}} -t UTF-8 {file.name} > converted{file.suffix}"
    if file.content.startswith(UTF16_MARKS):
        raise DataError(
            "The file is UTF-16, not UTF-8.",
            where=file.name,
            seen=file.content[:4].hex(" "),
            next_move=convert.format("UTF-16"),
        )
    try:
        return file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start + len(file.content) - len(error.object)
        line = file.content.count(b"\n", 0, offset) + 1
        raise DataError(
            "The file is not UTF-8.",
            where=f"{file.name}:{line}",
            seen=f"byte 0x{file.content[offset]:02x} at offset {offset}",
            next_move=convert.format("WINDOWS-1252") + " (if it came from Windows)",
        ) from error
