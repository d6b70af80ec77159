"""Whether there is disk and memory for a run before it starts. What it needs at its worst it tries itself at step 1."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from burnish.core.hardware import available_memory_bytes, memory_bytes

PROGRAM = 600 * 2**20  # bytes of Python, torch and the other libraries
LEAST_DISK = 256 * 2**20  # bytes of adapters, checkpoints and reports
COPIES = 8  # of the data: rows in parts, answers of each arm


@dataclass(frozen=True)
class Room:
    """Bytes that a run needs on the disk and in memory, estimated low: more would refuse what works."""

    disk: int
    memory: int


def room_needed(data: int, model: Path) -> Room:
    """data: bytes of its files; model: a folder of safetensors or a .gguf file, whose weights take at least as much in
    memory as on the disk."""
    files = [model] if model.is_file() else [*model.glob("*.safetensors")]
    return Room(COPIES * data + LEAST_DISK, PROGRAM + sum(path.stat().st_size for path in files))


def lack(room: Room, folder: Path) -> str:
    """What is missing now, in words; nothing where there is enough."""
    free, memory = shutil.disk_usage(folder).free, available_memory_bytes()
    if free < room.disk:
        return f"{_mib(room.disk)} are needed on the disk, {_mib(free)} are free"
    if memory is not None and memory < room.memory:
        return f"{_mib(room.memory)} of memory are needed, {_mib(memory)} are free"
    return ""


def never(room: Room) -> bool:
    """Whether this machine as a whole has less memory than that."""
    return memory_bytes() < room.memory


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
