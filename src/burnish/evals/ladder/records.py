"""What ladder.json holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Worst:
    """The suite of the memory check that lost most of what was tolerated. `used`: its loss in margins."""

    suite: str
    used: float


@dataclass(frozen=True)
class Rung:
    """One training. `gain`: over `Ladder.opponent`, in the metric's unit, with its interval. `forgetting`: rise of the
    loss of general text over the base's, in nats a token, with bounds of one-sided 5 % each. `front`: no other rung
    gains as much and forgets as little.
    """

    name: str
    changes: Mapping[str, Any]
    task: str
    gain: float
    low: float
    high: float
    memory: str
    forgetting: float
    least: float
    most: float
    worst: Worst | None
    updates: int
    seconds: float
    front: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A rung that could not be taken on these data with this model."""

    name: str
    reason: str


@dataclass(frozen=True)
class Ladder:
    """All rungs, in the order in which they were asked for. `confidence`: of the intervals of gains, which hold for
    all rungs at once. `recommended`: the name of a rung; `sentence` says why.
    """

    metric: str
    opponent: str
    confidence: str
    limit: float
    rungs: tuple[Rung, ...]
    left_out: tuple[LeftOut, ...]
    recommended: str
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        value: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return value

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Ladder:
        """The inverse of `to_json`."""
        return _ADAPTER.validate_python(value)


_ADAPTER = TypeAdapter(Ladder)
