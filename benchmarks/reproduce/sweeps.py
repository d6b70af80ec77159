"""A fair comparison of arms: each sweeps rates of its own with one seed; its best on dev is trained with all seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.common import Options
from benchmarks.reproduce.arms import Arm, Outcome, best, outcome


@dataclass(frozen=True)
class Swept:
    """An arm at its best rate. `sweep`: rate → outcome with the first seed; `outcomes`: the best rate, a seed each."""

    arm: str
    rate: float
    sweep: dict[float, Outcome]
    outcomes: list[Outcome]

    @property
    def loss(self) -> float:
        """Test loss in nats a token, the mean over seeds."""
        return sum(one.loss for one in self.outcomes) / len(self.outcomes)

    @property
    def general_loss(self) -> float:
        """Loss on general text, the mean over seeds."""
        return sum(one.general_loss for one in self.outcomes) / len(self.outcomes)


def swept(
    options: Options, task: str, arm: Arm, rates: Sequence[float], seeds: Sequence[int], *, model: str, epochs: float
) -> Swept:
    """Trains what is not there yet: every rate with the first seed, then the best one with the others."""

    def at(rate: float, seed: int) -> Outcome:
        changed = Arm(f"{arm.name}-{rate:g}", (*arm.changes, f"train.learning_rate={rate:g}"))
        return outcome(options, task, changed, seed, model=model, epochs=epochs)

    sweep = {rate: at(rate, seeds[0]) for rate in rates}
    winner = best(list(sweep.values()))
    rate = next(rate for rate, one in sweep.items() if one is winner)
    return Swept(arm.name, rate, sweep, [winner, *(at(rate, seed) for seed in seeds[1:])])
