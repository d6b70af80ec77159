"""What a recipe says about data: where it lies, how to read a row, how much of it is held out."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from burnish.core.settings import Settings

FormatName: TypeAlias = Literal["messages", "prompt_completion", "alpaca", "sharegpt", "preference", "columns", "text"]


class DataSettings(Settings):
    """`data: {train: tickets.jsonl}` is enough; the rest answers what a file cannot say itself."""

    train: str | list[str] = Field(
        description="File or files to learn from (.jsonl, .json, .csv, .tsv, .parquet, .txt, each also .gz), "
        "relative to the recipe's folder."
    )
    test: str | None = Field(
        default=None,
        description="A held-out file of your own: always and only test. Rows of train that ask the same are dropped.",
    )
    dev: str | None = Field(
        default=None,
        description="A file of your own for early stopping and choosing prompts, instead of a part of train.",
    )
    rows: int | None = Field(
        default=None, ge=1, description="Rows of train to use: a seeded sample, taken before the split. Default: all."
    )
    test_rows: int | None = Field(
        default=None, ge=1, description="Rows to use of your own test file: a seeded sample. Default: all."
    )
    format: Literal["auto"] | FormatName = Field(
        default="auto", description="How a row is laid out. `auto` looks at the keys and says what it found."
    )
    prompt: str | None = Field(default=None, description="Name of the column that holds the question.")
    completion: str | None = Field(default=None, description="Name of the column that holds the answer.")
    template: str | None = Field(
        default=None,
        description="A prompt built from columns, such as '{context}\\n\\n{question}'. Only {column} is replaced; "
        "{{ and }} stand for braces.",
    )
    instructions: str | None = Field(
        default=None,
        description="What you would tell the base model to do this task. Only evaluation reads it, for its opponent.",
    )
    test_share: float = Field(
        default=0.2,
        gt=0,
        le=0.5,
        description="Share of the rows held out for the verdict when there is no test file, at most 1000 rows. "
        "A fifth leaves most rows to learn from and still shows gains of a useful size.",
    )
    dev_share: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description="Share of train kept for early stopping and for choosing prompts: 20 to 200 rows, never more than "
        "a third. Fewer are too noisy to choose by; more are better spent on learning.",
    )
    longer: Literal["drop"] = Field(
        default="drop",
        description="What happens to a row longer than the model's context. Cutting would teach unfinished answers.",
    )

    @field_validator("train")
    @classmethod
    def _names_a_file(cls, train: str | list[str]) -> str | list[str]:
        if not train or (isinstance(train, list) and not all(train)):
            raise ValueError("name at least one file")
        return train

    @model_validator(mode="after")
    def _columns_fit_together(self) -> DataSettings:
        if self.template is not None and self.prompt is not None:
            raise ValueError("give `prompt` or `template`, not both")
        names_columns = self.prompt or self.completion or self.template
        if names_columns and self.format not in ("auto", "columns", "prompt_completion"):
            raise ValueError(f"`prompt`, `completion` and `template` do not apply to format `{self.format}`")
        if self.format == "columns" and not (self.prompt or self.template):
            raise ValueError("format `columns` needs `prompt` or `template`")
        if self.test_rows is not None and self.test is None:
            raise ValueError("`test_rows` has no effect without `test`")
        return self

    @property
    def train_files(self) -> list[str]:
        return [self.train] if isinstance(self.train, str) else self.train
