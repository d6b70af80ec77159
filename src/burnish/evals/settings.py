"""What is compared on the test part, how the opponent may be prompted, and how memory is checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator

from burnish.core.settings import Settings
from burnish.graders.settings import AutoMetric, MetricSettings

Opponent: TypeAlias = Literal["base", "prompted"]


def _auto_is_none(value: Any) -> Any:
    return None if value == "auto" else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


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

    groups: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        default=(),
        max_length=5,
        description="Columns of the data that say which group a test row belongs to, such as a region or a kind of "
        "customer: the scores are then shown by group too. Name them before `prepare`.",
    )
    calibration: AutoCount = Field(
        default=None,
        ge=0,
        description="Test rows at most of which all labels are weighed, to see whether the model knows how sure it may "
        "be; 0 for none. auto is what about 12,000 tokens allow, some hundred rows: more cost time and tell more.",
    )

    @field_validator("opponents")
    @classmethod
    def _each_once(cls, opponents: tuple[Opponent, ...]) -> tuple[Opponent, ...]:
        if len(set(opponents)) < len(opponents):
            raise ValueError("name each opponent once")
        return opponents
