"""JSON as Burnish takes it: finite numbers only; of a key that stands twice in an object the last value counts, and
how often that was so is said."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from burnish.core.records import Dropped
from burnish.data.read.raw import Raw, RawOrDropped


@dataclass
class DoubledKeys:
    """Objects that name a key twice, and the rows that hold such objects."""

    objects: int = 0
    rows: int = 0
    first: str = ""

    def as_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """What a JSON parser makes of the keys and values of an object."""
        value = dict(pairs)
        self.objects += len(value) < len(pairs)
        return value

    def note_row(self, source: str) -> None:
        """To be called for a row in which `objects` grew."""
        self.rows += 1
        self.first = self.first or source

    @property
    def note(self) -> str:
        return (
            f"{self.rows} rows name a key twice, the first is {self.first}: the last value counts" if self.rows else ""
        )


def finite(digits: str) -> float:
    """A float. Raises ValueError: it is not a number, or too large for one."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is not a finite number")
    return number


def decoder(doubled: DoubledKeys) -> json.JSONDecoder:
    """A parser that counts doubled keys in `doubled`."""
    return json.JSONDecoder(object_pairs_hook=doubled.as_object, parse_float=finite, parse_constant=finite)


def row_of(value: Any, source: str) -> RawOrDropped:
    """A JSON value as a row, which only an object can be."""
    if isinstance(value, dict):
        return Raw(source, value)
    return Dropped(source, "not_object", f"a {type(value).__name__}", value)
