"""The verdict as data: what verdict.json holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from burnish.core.errors import BurnishError
from burnish.evals.effects.records import SideEffects
from burnish.evals.judge.records import JudgedVerdict
from burnish.evals.statistics import Mean

SCHEMA: Final = 1  # of verdict.json: raised, here and in `Verdict`, by whoever changes what it holds

TaskOutcome: TypeAlias = Literal["BETTER", "WORSE", "NOT PROVEN"]
MemoryOutcome: TypeAlias = Literal["KEPT", "FORGOTTEN", "NOT PROVEN"]
SuiteOutcome: TypeAlias = Literal["KEPT", "FORGOTTEN", "NOT PROVEN", "CANNOT SHOW"]


@dataclass(frozen=True)
class ArmScores:
    """All metrics of one arm on one suite."""

    arm: str
    metrics: Mapping[str, Mean]


@dataclass(frozen=True)
class Comparison:
    """The specialist against one opponent. `delta` is in the metric's unit; above zero the specialist is better."""

    opponent: str
    metric: str
    delta: float
    low: float
    high: float
    p: float
    p_holm: float
    n: int
    won: int
    lost: int
    method: str


@dataclass(frozen=True)
class Sampling:
    """One arm that drew several answers to each item. `between_seeds`: standard deviation of the mean score over all
    items from one sample to the next. `between_items`: standard error of the mean over items of their mean scores.
    """

    arm: str
    samples: int
    between_seeds: float
    between_items: float


@dataclass(frozen=True)
class TaskVerdict:
    """Is the specialist better at the user's task? `could_show` says what this test set can show.

    The comparisons hold intervals of 1 - 0.05 / `tries`, the number of specialists that were judged on these rows.
    """

    outcome: TaskOutcome
    reason: str
    metric: str
    higher_is_better: bool
    n: int
    arms: tuple[ArmScores, ...]
    comparisons: tuple[Comparison, ...]
    could_show: str
    tries: int = 1
    sampling: tuple[Sampling, ...] = ()

    @property
    def confidence(self) -> str:
        """How sure the intervals of the comparisons are: "95 %", more where several were tried."""
        return f"{100 * (1 - 0.05 / self.tries):.4g} %"


@dataclass(frozen=True)
class SuiteVerdict:
    """Was something forgotten? `delta` below zero is a loss; `low` and `high` are one-sided 5 % bounds.

    `p_kept` belongs to "the loss is below the margin", `p_forgotten` to "the loss exceeds the margin".
    """

    suite: str
    outcome: SuiteOutcome
    reason: str
    metric: str
    higher_is_better: bool
    margin: float
    margin_reason: str
    arms: tuple[ArmScores, ...]
    delta: float
    low: float
    high: float
    p_kept: float
    p_forgotten: float
    p_forgotten_holm: float
    n: int
    method: str
    could_show: str


@dataclass(frozen=True)
class Drift:
    """How far the specialist's distributions of the next token are from the base's, on the base's own answers.

    It has no outcome: a specialist is meant to differ from its base, and only the suites tell whether that costs
    anything. `kl` is KL(base ‖ tuned) in nats a token, `same_token` how often both hold the same token for the
    likeliest; means over prompts.
    """

    kl: Mean
    same_token: Mean
    tokens: int


@dataclass(frozen=True)
class MemoryVerdict:
    """Has the specialist kept what the base knew? `drift` is None where it was not measured."""

    outcome: MemoryOutcome
    reason: str
    suites: tuple[SuiteVerdict, ...]
    drift: Drift | None = None


@dataclass(frozen=True)
class Verdict:
    """The outcome of an evaluation with everything that decided it, and the side effects, which decide nothing.

    `schema` is the version of this format.
    """

    schema: Literal[1]
    specialist: str
    base: str
    seed: int
    task: TaskVerdict
    memory: MemoryVerdict
    judged: JudgedVerdict | None = None
    effects: SideEffects | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, floats to ten significant digits, so that another machine's last bit changes no file."""
        value: dict[str, Any] = _rounded(_ADAPTER.dump_python(self, mode="json"))
        return value

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Verdict:
        """The inverse of `to_json`. Raises BurnishError: the value is no verdict of this version."""
        try:
            verdict = _ADAPTER.validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            raise BurnishError(
                "This is not a verdict that this version of Burnish wrote.",
                where=".".join(map(str, first["loc"])),
                seen=first["msg"],
                next_move="`burnish evaluate RUN --fresh` judges again",
            ) from error
        return verdict


_ADAPTER = TypeAdapter(Verdict)


def verdict_schema() -> dict[str, Any]:
    """The JSON Schema of verdict.json, which docs/generated publishes. Closed: a further field is a new format."""
    found = _ADAPTER.json_schema(mode="serialization")
    for record in (found, *found["$defs"].values()):
        record["additionalProperties"] = False
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"Burnish verdict, format {SCHEMA}"}
    return head | {key: value for key, value in found.items() if key != "title"}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
