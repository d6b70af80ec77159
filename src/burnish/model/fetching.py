"""Imports that would ask a hub for code are kept from doing so."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_fetched() -> Iterator[None]:
    """For the import of bitsandbytes, and of peft, which imports it where it is installed.

    On CPUs with bf16 bitsandbytes 0.50 asks the package `kernels` for compiled code from a hub while it is being
    imported, and warns where it is absent. Nothing here needs that code, and nothing is fetched unasked.
    """
    logger = logging.getLogger("bitsandbytes.backends.cpu.ops")
    level, before = logger.level, sys.modules.get("kernels")
    logger.setLevel(logging.ERROR)
    sys.modules["kernels"] = None  # type: ignore[assignment]  # Python's own way to say: not to be imported
    try:
        yield
    finally:
        logger.setLevel(level)
        del sys.modules["kernels"]
        if before is not None:
            sys.modules["kernels"] = before
