"""A suite of the memory check as it is asked and judged, whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from burnish.core.records import Item
from burnish.evals.arms import ArmName, Progress
from burnish.model.decoder import Decoder

Answer: TypeAlias = Callable[[Decoder, ArmName, Sequence[Any], Progress], list[Item]]


@dataclass(frozen=True)
class MemorySuite:
    """`rows` and how some of them are answered. `plan` is the suite's entry in arms.json, as verdict_plan reads it."""

    name: str
    rows: Sequence[Any]
    plan: Mapping[str, Any]
    answer: Answer

    @property
    def entry(self) -> dict[str, Any]:
        """For arms.json."""
        return {"name": self.name, **self.plan, "n": len(self.rows)}


def choice_scores(logprobs: Sequence[float], answer: int) -> dict[str, float]:
    """The scores of a choice among several, from the log-probability of each.

    `logprob_margin`: log p(right) - log Σ p(others), in nats; 0 where right and all others together are as likely.
    `correct`: whether no other choice is as likely as the right one.
    """
    others = [logprob for place, logprob in enumerate(logprobs) if place != answer]
    return {
        "logprob_margin": logprobs[answer] - float(np.logaddexp.reduce(others)),
        "correct": float(logprobs[answer] > max(others)),
    }
