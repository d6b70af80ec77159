"""How an answer may be graded, without importing any grader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from burnish.core.settings import Settings

MetricName: TypeAlias = Literal[
    "label",
    "exact",
    "number",
    "json",
    "entities",
    "text",
    "bleu",
    "rouge",
    "regex",
    "code",
    "function",
    "loss",
    "judge",
]

# The score that the verdict is about; the other scores of a grader stand beside it.
PRIMARY: Mapping[MetricName, str] = {
    "label": "correct",
    "exact": "exact",
    "number": "correct",
    "json": "field_f1",
    "entities": "entity_f1",
    "text": "chrf",
    "bleu": "bleu",
    "rouge": "rouge_l",
    "regex": "correct",
    "code": "passed",
    "function": "score",
    "loss": "answer_loss",
    "judge": "judged",
}


class AutoMetric(Settings):
    """What the data card found in the answers: label, number, json or text; entities where the mentions in the answers
    stand in the prompts. `metric: label` is short for `metric: {type: label}`, `metric: grade.py:score` for
    `metric: {type: function, file: grade.py, name: score}`.
    """

    type: Literal["auto"] = "auto"


class LabelMetric(Settings):
    """Right when the first line names the expected label. Macro-F1 stands beside the accuracy."""

    type: Literal["label"] = "label"


class ExactMetric(Settings):
    """Right when the texts are equal but for white space."""

    type: Literal["exact"] = "exact"


class NumberMetric(Settings):
    """Right when the number that the answer ends on is the expected one."""

    type: Literal["number"] = "number"
    tolerance: float = Field(
        0.0, ge=0, lt=1, description="How far off a right answer may be, as a share of the expected number."
    )


class JSONMetric(Settings):
    """F1 over the fields of a JSON object; beside it, whether the answer is an object and is built as it should be."""

    type: Literal["json"] = "json"
    schema_file: str | None = Field(
        None,
        description="A JSON Schema that answers should meet (score `schema`). Default: that they have the keys which "
        "nearly all answers in train have.",
    )


class EntitiesMetric(Settings):
    """F1 over entities, equal in type and mention. Answers are {type: [mentions]} or [{"text": …, "type": …}]."""

    type: Literal["entities"] = "entities"


class TextMetric(Settings):
    """chrF of each answer: shared sequences of characters."""

    type: Literal["text"] = "text"


class BLEUMetric(Settings):
    """BLEU of each answer, smoothed; that of all answers together stands beside it."""

    type: Literal["bleu"] = "bleu"
    tokenize: Literal["13a", "intl", "zh", "char"] = Field(
        "13a", description="How sacrebleu splits words: 13a as in WMT, intl by Unicode, zh for Chinese, char by sign."
    )


class ROUGEMetric(Settings):
    """ROUGE-L of each answer: the longest common sequence of words. ROUGE-1 and ROUGE-2 stand beside it."""

    type: Literal["rouge"] = "rouge"


class RegexMetric(Settings):
    """Right when the pattern is found; what its first group catches must then be what was expected."""

    type: Literal["regex"] = "regex"
    pattern: str = Field(
        min_length=1,
        description="A regular expression, searched in the answer. With a group: what the group catches must equal "
        "what it catches in the expected answer, or that whole answer where nothing is caught.",
    )

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"this is no regular expression: {error}") from error
        return pattern


class CodeMetric(Settings):
    """The answer is a Python program that is run against tests. Read the risks in docs/choose-a-metric.md first."""

    type: Literal["code"] = "code"
    tests_file: str = Field(
        description='JSON Lines with a row for each question of dev and test: {"prompt": …, "tests": ["assert …", …]}.'
    )
    execute: bool = Field(
        False, description="Your leave to run what a model wrote on this machine. Without it nothing is run."
    )
    seconds: float = Field(5.0, gt=0, le=120, description="How long one test may take.")
    memory_mb: int = Field(1024, ge=64, le=65536, description="How much memory one test may take, in MB.")

    @model_validator(mode="after")
    def _by_leave(self) -> Self:
        if not self.execute:
            raise ValueError(
                "it runs what a model wrote, with your rights to read files: if that is what you want, on a machine "
                "where it may, add `execute: true`"
            )
        return self


class FunctionMetric(Settings):
    """A Python function of your own: `def score(output, expected)`, or with `prompt` as a third argument."""

    type: Literal["function"] = "function"
    file: str = Field(pattern=r"\.py$", description="The Python file. It is run as it stands, when evaluation begins.")
    name: str = Field(
        "score",
        pattern=r"^[^\W\d]\w*$",
        description="The function. It gives a number, or a mapping of numbers with the key `score`, which decides.",
    )
    higher_is_better: bool = Field(True, description="false where a smaller score is the better one.")


class LossMetric(Settings):
    """How unexpected the expected answer is to the model, in nats a token; nothing is generated."""

    type: Literal["loss"] = "loss"


class JudgeMetric(Settings):
    """Whom `evaluate.judge` takes for the better answer decides; chrF and loss stand beside it."""

    type: Literal["judge"] = "judge"


NamedMetric: TypeAlias = (
    LabelMetric | ExactMetric | NumberMetric | JSONMetric | EntitiesMetric | TextMetric | BLEUMetric | ROUGEMetric
    | RegexMetric | CodeMetric | FunctionMetric | LossMetric | JudgeMetric
)  # fmt: skip


def _written_out(value: Any) -> Any:
    """`label` → {type: label}; `grade.py:score` → {type: function, file: grade.py, name: score}."""
    if not isinstance(value, str):
        return value
    file, _, name = value.rpartition(":")
    return {"type": "function", "file": file, "name": name} if file.endswith(".py") else {"type": value}


MetricSettings = Annotated[AutoMetric | NamedMetric, Field(discriminator="type"), BeforeValidator(_written_out)]

# Those that the answers themselves can tell.
BY_SHAPE: Mapping[str, NamedMetric] = {
    "label": LabelMetric(),
    "number": NumberMetric(),
    "json": JSONMetric(),
    "entities": EntitiesMetric(),
    "text": TextMetric(),
}


def file_of(metric: AutoMetric | NamedMetric) -> tuple[str, str] | None:
    """The key that names a file, and the file; None where the metric needs none."""
    match metric:
        case JSONMetric(schema_file=str(name)):
            return "schema_file", name
        case CodeMetric(tests_file=name):
            return "tests_file", name
        case FunctionMetric(file=name):
            return "file", name
    return None


def with_file_from(metric: AutoMetric | NamedMetric, base: Path) -> AutoMetric | NamedMetric:
    """The metric with its file, if it needs one, named absolutely; names start from the folder `base`."""
    named = file_of(metric)
    if named is None:
        return metric
    return metric.model_copy(update={named[0]: str((base / Path(named[1]).expanduser()).absolute())})


def score_that_decides(metric: NamedMetric) -> str:
    """The score of that metric which the verdict is about."""
    return PRIMARY[metric.type]


def score_on_dev(metric: NamedMetric) -> str:
    """The score by which a prompt is chosen: nobody judges dev, so chrF stands in for a judge."""
    return PRIMARY["text"] if metric.type == "judge" else PRIMARY[metric.type]


def higher_is_better(metric: NamedMetric) -> bool:
    """Whether more of that score is better."""
    return metric.higher_is_better if isinstance(metric, FunctionMetric) else metric.type != "loss"
