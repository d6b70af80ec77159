"""What reading gives: rows as they stood in the file, and the facts about a file that was read to its end."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from burnish.core.records import Dropped

# A row longer than this (some four million tokens) is no row to learn from; a longer line is passed over unheld.
MOST_ROW_CHARACTERS = 16 << 20
SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Raw:
    """One row as it stood in the file. `source` is "file:line", or "file:row" where a format has no lines."""

    source: str
    value: Mapping[str, Any]


RawOrDropped: TypeAlias = Raw | Dropped


@dataclass(frozen=True)
class FileFacts:
    """One input as the card shows it: the hash and size of what is stored, and how it was understood.

    `notes` are sentences about what was assumed or passed over. `encoding` is empty for Parquet and Arrow.
    """

    name: str
    sha256: str
    size_bytes: int
    kind: str
    encoding: str
    notes: tuple[str, ...] = ()


Reading: TypeAlias = Generator[RawOrDropped, None, FileFacts]
