"""What a recipe names as data → the sources it stands for: a file, a folder, a pattern, an address."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from burnish.core.errors import DataError
from burnish.data.read.choice import Chosen, choose, is_pattern
from burnish.data.read.file import metadata_of, read_file
from burnish.data.read.hub import PREFIX as HUB_PREFIX
from burnish.data.read.hub import fetch_from_hub
from burnish.data.read.raw import Reading
from burnish.data.read.settings import ReadSettings
from burnish.data.read.source import Source
from burnish.data.read.text import is_damaged, storable
from burnish.data.read.text_folder import read_text_folder
from burnish.data.read.web import fetch

MOST_NEIGHBOURS = 8
MOST_FILES = 20_000
GIGABYTE = 1e9


def silent(message: str) -> None:
    """Says nothing."""


def sources(
    where: str,
    base: Path,
    settings: ReadSettings | None = None,
    *,
    as_text: bool = False,
    say: Callable[[str], None] = silent,
) -> list[Source]:
    """The sources, in order of name. Nothing but a named http(s) or hf:// address goes to the network, and that here.

    where: a file, a folder (data files of one kind, or texts), a pattern with * or **, an http(s) address, or
        hf://datasets/OWNER/NAME[@revision]/path.
    base: the folder against which relative paths are read.
    as_text: take a file for plain text if its name and content tell nothing else.

    Raises DataError: there is no such thing, it cannot be fetched, or it stands for files that must not be mixed.
    """
    settings = settings or ReadSettings()
    largest_bytes = settings.largest_download_gb * GIGABYTE
    scheme = where.partition("://")[0].lower() if "://" in where else ""
    if scheme in ("http", "https"):
        fetched = fetch(where, largest_bytes=largest_bytes, say=say)
        return [_of_file(fetched.path, fetched.name, settings, as_text, fetched.note)]
    if where.startswith(HUB_PREFIX):
        files = fetch_from_hub(where, largest_bytes=largest_bytes, say=say)
        return _of_chosen(where, files.root, files.chosen, files.paths, settings, note=files.note)
    if scheme:
        raise DataError(
            f"Addresses of the kind {scheme}:// are not read.",
            where=where,
            next_move="copy the file to this machine and name the copy",
        )
    return _local(where, base, settings, as_text)


def _local(where: str, base: Path, settings: ReadSettings, as_text: bool) -> list[Source]:
    path = base / _at_home(where)
    if where and path.is_dir():
        chosen = choose(_names_in(path), where)
        return _of_chosen(where, where.rstrip("/"), chosen, [path / name for name in chosen.names], settings)
    if is_pattern(where) and not path.exists():
        fixed = PurePosixPath(*_parts_before_pattern(where))
        root, pattern = base / _at_home(str(fixed)), str(PurePosixPath(where).relative_to(fixed))
        chosen = choose(_names_in(root), where, pattern=pattern)
        return _of_chosen(where, str(fixed), chosen, [root / name for name in chosen.names], settings)
    if not where or not path.exists():
        raise DataError("There is no such file.", where=str(path), next_move=_neighbours(path))
    if not path.is_file():
        raise DataError("This is not a file.", where=str(path), next_move="name the file itself, such as train.jsonl")
    return [_of_file(path, where, settings, as_text)]


def _at_home(where: str) -> Path:
    try:
        return Path(where).expanduser()
    except RuntimeError:  # "~someone" whom this machine does not know
        return Path(where)


def _parts_before_pattern(where: str) -> Iterator[str]:
    for part in PurePosixPath(where).parts:
        if is_pattern(part):
            return
        yield part


def _names_in(folder: Path) -> list[str]:
    """Files below a folder, relative to it. Links to folders are not followed."""
    found: list[str] = []
    for inside, _, names in os.walk(folder):
        paths = (os.path.join(inside, name) for name in names)
        found += [Path(path).relative_to(folder).as_posix() for path in paths if os.path.isfile(path)]
        if len(found) > MOST_FILES:
            raise DataError(
                f"The folder holds more than {MOST_FILES:,} files.",
                where=str(folder),
                seen=f"the last of them in {storable(inside)}",
                next_move="name the folder that holds the data and little else",
            )
    if broken := next(filter(is_damaged, found), None):
        raise DataError(
            "The name of a file here is no text (UTF-8).",
            where=str(folder),
            seen=storable(broken),
            next_move="rename it, or name the other files",
        )
    return found


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"check the path: the folder {path.parent} does not exist either"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())[:MOST_NEIGHBOURS]
    return f"check the path; this folder holds: {', '.join(names) or 'no files'}"


def _of_file(path: Path, name: str, settings: ReadSettings, as_text: bool, note: str = "") -> Source:
    return Source(
        name, lambda: _noting(read_file(path, name, settings, as_text=as_text), note), lambda: metadata_of(path)
    )


def _of_chosen(
    where: str, root: str, chosen: Chosen, paths: Sequence[Path], settings: ReadSettings, *, note: str = ""
) -> list[Source]:
    """One source a data file, or one for all texts; the first carries the notes about the whole."""
    if chosen.left_out:
        note = "; ".join(filter(None, (note, f"not read: {', '.join(chosen.left_out[:MOST_NEIGHBOURS])}")))
    if chosen.texts:
        files = list(zip(paths, chosen.names, strict=True))
        return [Source(where, lambda: _noting(read_text_folder(root, files, settings), note))]
    return [
        _of_file(path, f"{root}/{name}", settings, as_text=False, note=note if name == chosen.names[0] else "")
        for path, name in zip(paths, chosen.names, strict=True)
    ]


def _noting(reading: Reading, note: str) -> Reading:
    """The same reading, with one more note in its facts."""
    facts = yield from reading
    return replace(facts, notes=(*facts.notes, note)) if note else facts
