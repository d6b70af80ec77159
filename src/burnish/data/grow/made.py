"""Rows that a model made, each with how, by whom and from what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from burnish.core.asking import Model, Writer
from burnish.core.records import Flagged, Row
from burnish.render.batch import Length

Kind: TypeAlias = Literal["paraphrase", "question", "rewrite"]
LocalWriter: TypeAlias = Callable[[str], Writer]  # the name of a model on this machine → the way to ask it


@dataclass(frozen=True)
class Made:
    """A made row and where it comes from: a line of made.jsonl. `instead` names the row whose place it takes."""

    row: Row
    kind: Kind
    model: Model
    origin: str  # id of the row it was made from; empty for a document that is no row
    place: str  # "file:line" of the origin
    instead: str = ""
    flagged: tuple[Flagged, ...] = ()  # doubts that its origin raises too

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.row.id,
            "kind": self.kind,
            "model": self.model.to_json(),
            "from": {"id": self.origin, "source": self.place},
            "instead": self.instead,
        }


@dataclass(frozen=True)
class Grown:
    """The made rows of train, the length of each, and how many texts were made in all, used or not."""

    made: tuple[Made, ...] = ()
    lengths: tuple[Length, ...] = ()
    tried: int = 0

    @property
    def kinds(self) -> dict[str, int]:
        """How they were made → rows."""
        return dict(Counter(one.kind for one in self.made).most_common())

    @property
    def models(self) -> dict[str, int]:
        """Model → rows."""
        return dict(Counter(one.model.shown for one in self.made))
