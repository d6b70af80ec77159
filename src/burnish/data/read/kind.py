"""What kind of file this is: by content where that is certain, else by extension, else by its first lines."""

from __future__ import annotations

import json
from typing import Literal, TypeAlias

from burnish.core.errors import DataError
from burnish.data.read.conll import looks_like_conll
from burnish.data.read.raw import SHOWN_CHARACTERS

Kind: TypeAlias = Literal["json", "csv", "conll", "text", "parquet", "arrow", "arrow stream"]
KINDS: dict[str, Kind] = {
    ".jsonl": "json",
    ".json": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".conll": "conll",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".txt": "text",
    ".md": "text",
    ".markdown": "text",
}
TABLE_MAGIC: dict[bytes, Kind] = {
    b"PAR1": "parquet",
    b"ARROW1\0\0": "arrow",
    b"\xff\xff\xff\xff": "arrow stream",
}
# Files that people have at hand and that hold no rows as they are: first bytes → what it is, what to do.
FOREIGN = {
    b"PK\x03\x04": ("a zip archive or an Excel file", "unpack it, or save the sheet as CSV (UTF-8)"),
    b"\xd0\xcf\x11\xe0": ("an old Excel or Word file", "save the sheet as CSV (UTF-8)"),
    b"%PDF-": ("a PDF", "save its text as .txt or .md"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV"),
    b"BZh": ("compressed by bzip2", "unpack it with bunzip2, or compress it by gzip or zstd"),
    b"\xfd7zXZ": ("compressed by xz", "unpack it with unxz, or compress it by gzip or zstd"),
    b"7z\xbc\xaf": ("a 7-Zip archive", "unpack it"),
    b"\x1f\x8b": ("compressed twice", "unpack it once"),
    b"\x28\xb5\x2f\xfd": ("compressed twice", "unpack it once"),
    b"version https://git-lfs": (
        "a pointer of Git LFS, not the file itself",
        "run `git lfs pull` in its repository, or download the file from its page",
    ),
    b"FEA1": ("a table in the old Feather format", "write it again as Parquet"),
}
TABLE_NAMES = {"parquet": "Parquet", "arrow": "Arrow"}
DELIMITERS = ",;\t|"
SNIFFED_LINES = 20


def table_kind(head: bytes, suffix: str, name: str) -> Kind | None:
    """Parquet or Arrow by the first bytes, None for text.

    Raises DataError: a kind of file that is not read, or a table by its name only.
    """
    for magic, (what, next_move) in FOREIGN.items():
        if head.startswith(magic):
            raise DataError("Files of this kind are not read.", where=name, seen=what, next_move=next_move)
    kind = next((kind for magic, kind in TABLE_MAGIC.items() if head.startswith(magic)), None)
    by_name = TABLE_NAMES.get(KINDS.get(suffix, ""))
    if kind is None and by_name:
        raise DataError(
            f"The {by_name} file cannot be read: it does not begin as one.",
            where=name,
            seen=head[:8].hex(" "),
            next_move="copy or download it again",
        )
    return kind


def text_kind(head: str, suffix: str, name: str, *, as_text: bool) -> Kind:
    """JSON, CSV, CoNLL or plain text, by the first piece of a text.

    Raises DataError: neither name nor content tells.
    """
    kind = KINDS.get(suffix)
    if kind in ("json", "csv", "conll"):
        return kind
    if _starts_with_object(head) or (head.lstrip()[:1] in ("{", "[") and not kind):
        return "json"
    if looks_like_conll(head):
        return "conll"
    if kind or as_text:
        return "text"
    if _looks_like_csv(head):
        return "csv"
    raise DataError(
        "Cannot tell what kind of file this is.",
        where=name,
        seen=repr(head[:SHOWN_CHARACTERS]),
        next_move=f"rename it to what it is: {', '.join(KINDS)}",
    )


def _starts_with_object(head: str) -> bool:
    """Whether the first line is a whole JSON object: JSON lines under the name of a text file."""
    line = head.lstrip().split("\n", 1)[0]
    try:
        return line.startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _looks_like_csv(head: str) -> bool:
    """A header of plain names, then lines without gaps that hold the same delimiter."""
    lines = head.split("\n", SNIFFED_LINES)[:SNIFFED_LINES]
    delimiter = likely_delimiter(lines[0])
    header = [name.strip(' "') for name in lines[0].split(delimiter)]
    body = lines[1:] if len(lines) == SNIFFED_LINES else lines[1:-1] or lines[1:]
    return len(header) > 1 and all(name.isidentifier() for name in header) and all(delimiter in one for one in body)


def likely_delimiter(header: str) -> str:
    """The delimiter that the header holds most often, the comma when it holds none."""
    return max(DELIMITERS, key=header.count)
