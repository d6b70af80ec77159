"""The part of arms.json that the verdict needs: who is compared with whom, on what, and how much may be lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from burnish.core.errors import BurnishError


@dataclass(frozen=True)
class TaskPlan:
    """The score that decides the task, the metric or the shape that it belongs to, the settings of that metric, and
    the labels of a label task.
    """

    metric: str
    shape: str = ""
    higher_is_better: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuitePlan:
    """A suite of the memory check. `margin` None is the metric's default; `chance` is the accuracy of guessing."""

    name: str
    metric: str
    higher_is_better: bool = True
    margin: float | None = None
    chance: float | None = None


@dataclass(frozen=True)
class Plan:
    """What the verdict is about. Memory is compared with the arm `base`. `tries`: specialists judged on this test.
    `judge`: who compared the answers as free text.
    """

    opponents: tuple[str, ...]
    task: TaskPlan
    suites: tuple[SuitePlan, ...] = ()
    specialist: str = "tuned"
    base: str = "base"
    tries: int = 1
    judge: Mapping[str, Any] | None = None


_ADAPTER = TypeAdapter(Plan)


def plan_of(arms: Mapping[str, Any]) -> Plan:
    """The plan in the content of arms.json, whose other entries are left alone. Raises BurnishError: it lacks some."""
    try:
        return _ADAPTER.validate_python(arms)
    except ValidationError as error:
        first = error.errors()[0]
        raise BurnishError(
            "arms.json does not say what is compared.",
            where=".".join(map(str, first["loc"])),
            seen=first["msg"],
            next_move="write it again with `burnish evaluate`",
        ) from error
