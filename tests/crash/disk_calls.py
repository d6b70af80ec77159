"""Every call by which Python changes a disk, seen before it happens: to count, to log, or to crash there.

The calls are patched for the length of a `with` block, in a process that only the tests use.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Call:
    """One change. `path` is what it changes; `to` the new name of a rename; `data` what a write writes."""

    name: str  # create, write, fsync, mkdir, rename, unlink, rmdir
    path: Path
    to: Path | None = None
    data: bytes = b""


Before = Callable[[Call], None]


class _SeenFile(io.FileIO):
    """A file whose writes are seen as the kernel would see them: after Python's buffer."""

    def __init__(self, path: str, mode: str, before: Before) -> None:
        self._before = before
        self._path = Path(path).absolute()
        if not self._path.exists() or "w" in mode:
            before(Call("create", self._path))
        super().__init__(path, mode)

    def write(self, data: Any) -> int:
        self._before(Call("write", self._path, data=bytes(data)))
        return super().write(data)


@contextlib.contextmanager
def seen(before: Before) -> Iterator[None]:
    """Calls `before` with every change of the disk that this process is about to make."""
    real = {name: getattr(os, name) for name in ("mkdir", "rmdir", "unlink", "remove", "rename", "replace", "fsync")}
    real_open = io.open

    def at(path: Any, dir_fd: int | None) -> Path:
        folder = os.readlink(f"/proc/self/fd/{dir_fd}") if dir_fd is not None else os.getcwd()
        return Path(folder) / os.fsdecode(path)

    def one_path(name: str, log_as: str) -> Callable[..., None]:
        def call(path: Any, *rest: Any, dir_fd: int | None = None) -> None:
            before(Call(log_as, at(path, dir_fd)))
            real[name](path, *rest, dir_fd=dir_fd)

        return call

    def rename(name: str) -> Callable[..., None]:
        def call(path: Any, to: Any) -> None:
            before(Call("rename", at(path, None), to=at(to, None)))
            real[name](path, to)

        return call

    def fsync(handle: int) -> None:
        before(Call("fsync", Path(os.readlink(f"/proc/self/fd/{handle}"))))
        real["fsync"](handle)

    def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int):
            return real_open(file, mode, buffering, *rest, **named)
        raw = _SeenFile(os.fspath(file), mode.replace("b", "").replace("t", ""), before)
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *rest, **named)

    fakes = {
        "mkdir": one_path("mkdir", "mkdir"),
        "rmdir": one_path("rmdir", "rmdir"),
        "unlink": one_path("unlink", "unlink"),
        "remove": one_path("remove", "unlink"),
        "rename": rename("rename"),
        "replace": rename("replace"),
        "fsync": fsync,
    }
    with contextlib.ExitStack() as patches:
        for name, fake in fakes.items():
            patches.enter_context(patch.object(os, name, fake))
        patches.enter_context(patch.object(io, "open", opened))
        patches.enter_context(patch.object(builtins, "open", opened))
        yield
