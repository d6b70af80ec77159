"""What this machine can do. Read without torch, so that `doctor` and the recipe's check stay quick."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

FAST_BF16_FLAGS = ("amx_bf16", "avx512_bf16")  # without one of these, bf16 products on a CPU are slower than float32


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory of the machine, or of the container when that is less."""
    total = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min([total, *(limit for limit, _ in _container_limits())])


def available_memory_bytes() -> int | None:
    """What this process may still take before the kernel ends it or refuses; None where the system does not say."""
    rooms = [max(0, limit - used) for limit, used in _container_limits()]
    if (free := _kilobytes(Path("/proc/meminfo"), "MemAvailable")) is not None:
        rooms.append(free)
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and (taken := _kilobytes(STATUS, "VmSize")) is not None:
        rooms.append(max(0, limit - taken))
    return min(rooms, default=None)


def resident_bytes() -> int:
    """Memory that this process holds now; its largest so far where the system does not say."""
    now = _kilobytes(STATUS, "VmRSS")
    return peak_resident_bytes() if now is None else now


def peak_resident_bytes() -> int:
    """Largest resident memory of this process since its start or `forget_peak`."""
    peak = _kilobytes(STATUS, "VmHWM")
    if peak is not None:
        return peak
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def return_free_memory() -> None:
    """Gives freed memory back to the system, so that what is held is what is used (glibc; elsewhere nothing)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def forget_peak() -> None:
    """Begins a new `peak_resident_bytes`, where the system can do that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> int:
    """Largest resident memory of this process so far, in MiB."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest // 2**20 if sys.platform == "darwin" else largest // 1024


STATUS = Path("/proc/self/status")


def _kilobytes(path: Path, name: str) -> int | None:
    """Bytes of a line like "VmRSS:  1772 kB"."""
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None


def _container_limits() -> list[tuple[int, int]]:
    """(limit, used without file cache) of each control group above this process that has a limit, version 1 and 2."""
    found = []
    for folder in _control_groups():
        for limit_name, used_name in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            limit = _number(folder / limit_name)
            used = _number(folder / used_name)
            if limit is not None and used is not None and limit < 2**60:  # version 1 says 2^63 for no limit
                found.append((limit, max(0, used - _file_cache(folder))))
    return found


def _control_groups() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    folders = [root, root / "memory"]
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                own = (root / controllers).joinpath(path.strip("/"))
                folders += [folder for folder in (own, *own.parents) if root in folder.parents]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _file_cache(folder: Path) -> int:
    """Bytes that the kernel gives back when they are needed."""
    cache = 0
    with contextlib.suppress(OSError):
        for line in (folder / "memory.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name in ("active_file", "inactive_file"):
                cache += int(value)
    return cache


def _number(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        text = path.read_text().strip()
        return int(text) if text.isdigit() else None
    return None


def cpu_flags() -> frozenset[str]:
    """Instruction sets as Linux names them; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return frozenset()
    for line in path.read_text().splitlines():
        if line.startswith("flags"):
            return frozenset(line.split(":", 1)[1].split())
    return frozenset()


def cpu_has_fast_bf16() -> bool:
    """Whether bf16 matrix products on this CPU are faster than float32 ones."""
    return bool(cpu_flags().intersection(FAST_BF16_FLAGS))


def cpp_compiler() -> str | None:
    """The C++ compiler that torch would use, by name."""
    return next(
        (name for name in (os.environ.get("CXX", ""), "g++", "c++", "clang++") if name and shutil.which(name)), None
    )


def describe() -> dict[str, Any]:
    """The machine, for environment.json."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": platform.machine(),
        "cores": cores(),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "fast_bf16": cpu_has_fast_bf16(),
    }
