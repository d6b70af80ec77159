"""Burnish turns a pretrained language model and your own data into a private specialist, and proves whether it became
better at the task and kept what it knew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "load", "run"]

if TYPE_CHECKING:
    from burnish.pipeline.api import Run, load, run


def __getattr__(name: str) -> Any:
    # The API needs torch; importing the package does not.
    if name in ("Run", "load", "run"):
        from burnish.pipeline import api

        return getattr(api, name)
    raise AttributeError(f"module 'burnish' has no attribute {name!r}")
