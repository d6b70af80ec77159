"""Few shapes of products. The library behind a CPU's matrix products compiles code for every new shape and keeps it:
made of rows of any length, this code and the gaps that it leaves in memory came to half a gigabyte.
"""

from __future__ import annotations

MULTIPLE = 32  # rows of a product: few shapes, and few rows for nothing


def filled(count: int) -> int:
    """The next multiple: as many rows as are computed for `count` that are read."""
    return -(-count // MULTIPLE) * MULTIPLE
