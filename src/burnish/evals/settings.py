"""What is compared on the test part, how the opponent may be prompted, and how memory is checked."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from burnish.core.settings import Settings
from burnish.evals.judge.settings import Judging
from burnish.evals.opponent_settings import ExamplesOpponent, Opponent, Other, arm_of, check_names, compared
from burnish.evals.retention_settings import RetentionSettings
from burnish.graders.settings import AutoMetric, MetricSettings


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
        description="What the specialist must beat: `base` is the base model as it is, `prompted` the base model with "
        "the best prompt that was found on dev. Who leaves `prompted` out does not learn whether training was needed. "
        "Others are written as `{examples: 8}`, `{run: NAME}`, `{model: NAME}` or `{address: URL, model: NAME}`.",
    )
    retention: RetentionSettings = Field(
        default=RetentionSettings(), description="Check of what the model knew before: auto, short, off, or in detail."
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

    temperature: float = Field(
        default=0,
        ge=0,
        le=2,
        description="0 takes the likeliest answer; above it answers to the test rows are drawn, for all arms alike, "
        "with seeds that depend on the row alone. Memory is always asked at 0, and prompts are chosen at 0.",
    )
    samples: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Answers drawn for each test row where `temperature` is above 0; a row's score is their mean.",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=2**63,
        description="Seed of samples of rows and answers and of the order of examples. Default: `train.seed`.",
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
        check_names(opponents)
        return opponents

    @model_validator(mode="after")
    def _somebody_judges(self) -> EvaluateSettings:
        if self.metric.type == "judge" and self.judge is None:
            raise ValueError("`metric: judge` needs `judge`: who judges")
        return self

    @model_validator(mode="after")
    def _samples_differ(self) -> EvaluateSettings:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError("`samples` has no effect at temperature 0: all answers would be the same")
        return self

    def compared(self) -> dict[str, Any]:
        """As JSON, without what changes no answer: how patient to be with a server, where its key stands, and where the
        files of a model lie, which is known by its hash; and without the judge, who changes none either.
        """
        return {
            **self.model_dump(mode="json", exclude={"judge"}),
            "opponents": [compared(one) for one in self.opponents],
        }

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of the opponents."""
        return tuple(arm_of(opponent) for opponent in self.opponents)

    @property
    def others(self) -> tuple[Other, ...]:
        """Those that are not the base model."""
        return tuple(one for one in self.opponents if not isinstance(one, str | ExamplesOpponent))

    @property
    def example_counts(self) -> dict[str, int]:
        """The base model with a fixed number of examples: name → that number."""
        return {one.arm: one.examples for one in self.opponents if isinstance(one, ExamplesOpponent)}
