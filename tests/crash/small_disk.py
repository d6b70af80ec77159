"""A real file system of a few MiB for this process alone: tmpfs in a mount namespace of its own (Linux)."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_REC, MS_PRIVATE = 1, 32, 16384, 1 << 18


def mount_small_disk(folder: Path, size: int, inodes: int = 0) -> None:
    """Mounts tmpfs on `folder`; it is gone with this process. Raises OSError: not allowed here."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if user != 0:
        _check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    else:
        _check(libc.unshare(CLONE_NEWNS))
    _check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    _check(libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, f"size={size},nr_inodes={inodes}".encode()))


def can_mount(folder: Path) -> bool:
    """Whether this machine lets us; tried in a process of its own."""
    try:
        mount_small_disk(folder, 2**20)
    except OSError:
        return False
    return True


def set_read_only(folder: Path, value: bool) -> None:
    """Makes the small disk read-only, or writable again."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.mount(None, bytes(folder), None, MS_REMOUNT | (MS_RDONLY if value else 0), None))


def _check(code: int) -> None:
    if code:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def free_bytes(folder: Path) -> int:
    """What can still be written."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def fill(folder: Path, leave: int) -> Path:
    """A file that leaves about this many bytes free."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        file.write(b"\0" * max(0, free_bytes(folder) - leave))
    return filler


def use_up_inodes(folder: Path, leave: int) -> list[Path]:
    """Empty files until so many more can be made."""
    made: list[Path] = []
    while os.statvfs(folder).f_ffree > leave:
        path = folder / f"empty-{len(made)}"
        path.touch()
        made.append(path)
    return made
