"""What an importer takes and gives: the settings of another tool in, notes out, one for each key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Outcome: TypeAlias = Literal["translated", "changed", "missing", "added", "ignored", "unknown"]

TITLES: Mapping[Outcome, str] = {
    "translated": "translated",
    "changed": "translated with a changed meaning",
    "missing": "no counterpart",
    "added": "not in the file, added",
    "ignored": "ignored: of no effect here",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class Note:
    """What became of one key. `key` is written as in the input, below a list or mapping with dots: datasets.0.path.

    `sets` holds recipe keys such as "train.epochs" with their values. `blocks` says that without a counterpart for this
    key a recipe would train something else.
    """

    key: str
    value: Any
    outcome: Outcome
    text: str = ""
    sets: Mapping[str, Any] = field(default_factory=dict)
    blocks: bool = False


@dataclass(frozen=True)
class Given:
    """The settings of another tool, as plain data.

    `beside` belongs to them and stands elsewhere: a file they refer to, the method that a command names.
    `devices`: how many GPUs shared a batch there.
    """

    values: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)
    devices: int = 1


@dataclass(frozen=True)
class Imported:
    """A recipe's values as they would stand in a file; what became of each key; `blocked`: why there is no recipe."""

    tool: str
    recipe: dict[str, Any]
    notes: tuple[Note, ...]
    blocked: str = ""


Rule: TypeAlias = Callable[[str, Any, Given], list[Note]]
"""(key, its value, all settings) → notes: one for the key itself, or one for each key below it."""
