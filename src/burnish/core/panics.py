"""Errors of libraries: some have no base in common, and panics of Rust code are not even subclasses of Exception."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from burnish.core.errors import BurnishError


@contextlib.contextmanager
def as_model_error(explain: Callable[[BaseException], BurnishError]) -> Iterator[None]:
    """Turns whatever a library raises on bad input into the error that `explain` makes of it."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, BurnishError):
        raise
    except BaseException as error:
        raise explain(error) from error
