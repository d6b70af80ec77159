"""What is compared on the test part, how the opponent may be prompted, and how memory is checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from burnish.core.settings import Settings
from burnish.evals.judge.settings import Judging
from burnish.graders.settings import AutoMetric, MetricSettings

Opponent: TypeAlias = Literal["base", "prompted"]


def _auto_is_none(value: Any) -> Any:
    return None if value == "auto" else value


AutoCount: TypeAlias = Annotated[int | None, BeforeValidator(_auto_is_none)]


class EvaluateSettings(Settings):
    """By default the specialist must beat the base model, unprompted and well prompted, and its memory is checked."""

    metric: MetricSettings = Field(
        default=AutoMetric(), description="How an answer is graded; auto is the shape that the data card found."
    )
    opponents: tuple[Opponent, ...] = Field(
        default=("base", "prompted"),
        min_length=1,
        description="What the specialist must beat: the base model as it is, and the base model with the best prompt "
        "that was found on dev. Who leaves `prompted` out does not learn whether training was needed.",
    )
    retention: Literal["auto", "short", "off"] = Field(
        default="auto",
        description="Check of what the model knew before: auto asks all items of the three suites, short a fixed third "
        "of them (quick, but shows only large losses), off none: then nothing is said about memory.",
    )
    judge: Judging = Field(
        default=None,
        description="Who compares the answers as free text: `judge: NAME` for a model on this machine, or with an "
        "`address` for a server. It decides where the metric is `judge`, and stands beside the verdict elsewhere.",
    )
    items: AutoCount = Field(
        default=None, ge=1, description="Test rows to answer at most, a seeded sample; auto is all of them."
    )
    examples: AutoCount = Field(
        default=None,
        ge=0,
        le=64,
        description="Examples at most in the prompted opponent's prompt, 0 for instructions alone; auto is what fits "
        "in half the model's context, at most 16: small models gain little from more, and time grows with them.",
    )
    max_new_tokens: AutoCount = Field(
        default=None,
        ge=1,
        le=8192,
        description="Longest answer in tokens, the same for all; auto is half more than the longest answers in train.",
    )

    @field_validator("opponents")
    @classmethod
    def _each_once(cls, opponents: tuple[Opponent, ...]) -> tuple[Opponent, ...]:
        if len(set(opponents)) < len(opponents):
            raise ValueError("name each opponent once")
        return opponents

    @model_validator(mode="after")
    def _somebody_judges(self) -> EvaluateSettings:
        if self.metric.type == "judge" and self.judge is None:
            raise ValueError("`metric: judge` needs `judge`: who judges")
        return self
