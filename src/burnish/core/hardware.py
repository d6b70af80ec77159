"""What this machine can do. Read without torch, so that `doctor` and the recipe's check stay quick."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

FAST_BF16_FLAGS = ("amx_bf16", "avx512_bf16")  # without one of these, bf16 products on a CPU are slower than float32


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory of the machine, or of the container when that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return int(total)


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
