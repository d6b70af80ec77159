"""What the tests of reading share: a file is written, read to its end, and its rows looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.records import Dropped
from burnish.data.read.raw import FileFacts, Raw
from burnish.data.read.settings import ReadSettings
from burnish.data.read.source import Source
from burnish.data.read.sources import sources


def open_source(where: str, base: Path, *settings: ReadSettings, **more: Any) -> Source:
    """`sources` where exactly one is meant."""
    (found,) = sources(where, base, *settings, **more)
    return found


@dataclass(frozen=True)
class Result:
    """All that came out of a source."""

    raws: list[Raw]
    dropped: list[Dropped]
    facts: FileFacts

    @property
    def values(self) -> list[dict[str, object]]:
        return [dict(raw.value) for raw in self.raws]

    @property
    def places(self) -> list[tuple[str, str]]:
        return [(one.source, one.reason) for one in self.dropped]


def result_of(source: Source) -> Result:
    found = list(source.rows())
    raws = [one for one in found if isinstance(one, Raw)]
    return Result(raws, [one for one in found if isinstance(one, Dropped)], source.facts())


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def read(folder: Path, name: str, content: str | bytes, *, encoding: str = "auto", as_text: bool = False) -> Result:
    write(folder, name, content)
    return result_of(open_source(name, folder, ReadSettings(encoding=encoding), as_text=as_text))
