"""Files written whole or not at all, and read with the line that is wrong in the error."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from burnish.core.errors import BurnishError, RecipeError, Stopped

LINES_AT_ONCE = 256
MOST_IN_TREE = 20_000  # files and folders of a model or of data


@contextlib.contextmanager
def disk_errors(path: Path, needed: int | None = None) -> Iterator[None]:
    """Turns a full disk into `Stopped` (exit 75) and an unwritable place into a clear error.

    needed: bytes that are to be written, for the message.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise Stopped(
                "The disk is full.",
                where=str(path),
                seen=(error.strerror or "") + (f"; {needed:,} bytes are needed" if needed else ""),
                next_move="free some space and run the same command again; what was finished is kept",
            ) from error
        if error.errno == errno.EIO:
            raise BurnishError(
                "The disk reports an error.",
                where=str(path),
                seen=error.strerror or "",
                next_move="check the disk, then run the same command again; what was finished is kept",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            raise BurnishError(
                "Cannot write here.",
                where=str(path),
                seen=error.strerror or "",
                next_move="give a folder that you may write to with --out, or change its permissions",
            ) from error
        raise


def check_room(folder: Path, needed: int) -> None:
    """Raises Stopped (exit 75): the disk under `folder` has fewer than `needed` bytes free."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(nearest).free
    if free < needed:
        raise Stopped(
            "The disk is too full.",
            where=str(folder),
            seen=f"{free:,} bytes are free, {needed:,} bytes are needed",
            next_move=f"free {needed - free:,} bytes and run the same command again; what was finished is kept",
        )


def sync(path: Path) -> None:
    """Puts a file's content, or a folder's list of names, onto the disk itself."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file so that a crash leaves either the old content or the new one, never a part."""
    write_pieces(path, [content], len(content))


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview], size: int | None = None) -> str:
    """`write_bytes` for a content that need not lie in memory as a whole. Returns its sha256.

    size: its bytes, where they are known, for the message of a full disk.
    """
    written = hashlib.sha256()
    with disk_errors(path, size):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                    written.update(piece)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return written.hexdigest()


def write_text(path: Path, content: str) -> None:
    """`write_bytes` for UTF-8 text."""
    write_bytes(path, content.encode("utf-8"))


def dump_json(value: Any) -> str:
    """One line of JSON, as all of Burnish's files hold it. A non-finite number is refused: it is not JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Writes one indented JSON document."""
    write_text(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Reads one JSON document that Burnish wrote."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BurnishError(
            f"Cannot read {path.name}.",
            where=str(path),
            seen=str(error),
            next_move="run the stage that writes it again",
        ) from error


def write_jsonl(path: Path, values: Iterable[Any]) -> None:
    """Writes one JSON value a line. The values may come from the disk one by one: none is held."""
    lines = (f"{dump_json(value)}\n".encode() for value in values)
    write_pieces(path, iter(lambda: b"".join(islice(lines, LINES_AT_ONCE)), b""))


def append_jsonl(path: Path, value: Any) -> None:
    """Adds one line. For logs: a crash may cut the last line short, never an earlier or a later one."""
    with disk_errors(path), path.open("ab+") as file:
        torn = False
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            torn = file.read(1) != b"\n"
        file.write((b"\n" if torn else b"") + dump_json(value).encode("utf-8") + b"\n")


def read_jsonl(path: Path) -> list[Any]:
    """Reads what `write_jsonl` wrote."""
    try:
        # Not splitlines(): text in JSON may hold U+2028, which that takes for the end of a line.
        return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    except (OSError, ValueError, RecursionError) as error:
        raise BurnishError(
            f"Cannot read {path.name}.",
            where=str(path),
            seen=str(error),
            next_move="run the stage that writes it again",
        ) from error


def sha256_of_file(path: Path) -> str:
    """Hex digest of one file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_json(value: Any) -> str:
    """Hex digest of a JSON value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()


def sha256_of_tree(path: Path) -> str:
    """Hex digest of a file, or of all files of a folder by name and content.

    Raises RecipeError: the folder holds so much that it was hardly meant.
    """
    if path.is_file():
        return sha256_of_file(path)
    found = list(islice(path.rglob("*"), MOST_IN_TREE + 1))
    if len(found) > MOST_IN_TREE:
        raise RecipeError(
            f"The folder holds more than {MOST_IN_TREE:,} files and folders.",
            where=str(path),
            next_move="name the folder that holds what is meant and little else",
        )
    digests = {_name(file.relative_to(path)): sha256_of_file(file) for file in sorted(found) if file.is_file()}
    return sha256_of_json(digests)


def _name(path: Path) -> str:
    """A path as text, also where its bytes are none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
