"""What a recipe says about data: where it lies, how to read a row, how much of it is held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from burnish.core.settings import Settings
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.duplicates.settings import DuplicateSettings
from burnish.data.grow.settings import GrowSettings
from burnish.data.mix.settings import Longer, MixSettings, Order, SourceSettings
from burnish.data.private.settings import PrivateSettings
from burnish.data.read.settings import ReadSettings

FormatName: TypeAlias = Literal[
    "messages",
    "sharegpt",
    "dialogue",
    "prompt_completion",
    "alpaca",
    "question_answer",
    "choice",
    "preference",
    "rated",
    "prompts",
    "columns",
    "text",
]
# Which columns a user may name in each format.
NAMED: Mapping[str, tuple[str, ...]] = {
    "auto": ("prompt", "completion", "rejected", "score"),
    "columns": ("prompt", "completion"),
    "prompt_completion": ("prompt", "completion"),
    "rated": ("prompt", "completion", "score"),
    "preference": ("prompt", "completion", "rejected"),
    "prompts": ("prompt",),
}


class DataSettings(Settings):
    """`data: {train: tickets.jsonl}` is enough; the rest answers what a file cannot say itself."""

    train: str | list[str | SourceSettings] = Field(
        description="File or files to learn from (.jsonl, .json, .csv, .tsv, .parquet, .txt, each also .gz), "
        "relative to the recipe's folder. An entry of a list may also say how often its rows are used: "
        "`{file: faq.jsonl, weight: 3}`."
    )
    mix: MixSettings = Field(
        default=MixSettings(), description="How often rows of rare sources and labels stand in train."
    )
    order: Order = Field(
        default="shuffled",
        description="In which order training first sees the rows: by chance; the shorter first, a plain curriculum; or "
        "as they stand in the files. Once all were seen, chance goes on.",
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
    prompt: str | None = Field(
        default=None,
        description="The column that holds the question; a path such as `data.question` or `questions.0` leads into "
        "objects and lists.",
    )
    completion: str | None = Field(
        default=None, description="The column that holds the answer, or a path such as `answers.text.0`."
    )
    rejected: str | None = Field(
        default=None,
        description="The column that holds the worse of two answers; `completion` is then the better one. Needless "
        "where the columns are called chosen and rejected.",
    )
    score: str | None = Field(
        default=None,
        description="The column that rates the answer: true or false, or a number where more is better. The rows are "
        "then learnt as rated answers.",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=2**63,
        description="Seed of samples, of the split and of what a model makes. Default: `train.seed`.",
    )
    template: str | None = Field(
        default=None,
        description="A prompt built from columns, such as '{context}\\n\\n{question}'. Replaced are {column}, "
        "{path.in.a.column}, {words(column)}: a list as a line, {entities(tokens, tags)}: tagged words as a JSON list, "
        "and {choice(choices, right)}: the right one of several; {{ and }} stand for braces.",
    )
    completion_template: str | None = Field(
        default=None, description="An answer built from columns, in the way of `template`."
    )
    labels: list[str] | None = Field(
        default=None,
        min_length=2,
        description="The names of labels that the answer's column holds as numbers, in the order of their numbers "
        "from 0. Default: the names that the file itself gives (Parquet files of the Hub), else the numbers.",
    )
    instructions: str | None = Field(
        default=None,
        description="What you would tell the base model to do this task. Only evaluation reads it, for its opponent.",
    )
    test_gain: float = Field(
        default=0.05,
        ge=0.01,
        le=0.5,
        description="The gain of accuracy that the test should be able to show, as a share: without a test file as "
        "many rows are held out as that takes (498 for 5 points), at most a fifth of all.",
    )
    test_share: float | None = Field(
        default=None,
        gt=0,
        le=0.5,
        description="Share of the rows held out for the verdict instead, at most 1000 rows. Default: by `test_gain`.",
    )
    time: str | None = Field(
        default=None,
        description="The column that says when a row was made (ISO dates, or numbers). The newest rows are then the "
        "test, those before them dev: what a model must do is to come, not to be drawn from the same days.",
    )
    dev_share: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description="Share of train kept for early stopping and for choosing prompts: 20 to 200 rows, never more than "
        "a third. Fewer are too noisy to choose by; more are better spent on learning.",
    )
    read: ReadSettings = Field(default=ReadSettings(), description="How files are opened.")
    clean: CleanSettings = Field(default=CleanSettings(), description="What is repaired, reported or left out.")
    private: PrivateSettings = Field(default=PrivateSettings(), description="Private data in the rows.")
    duplicates: DuplicateSettings = Field(
        default=DuplicateSettings(), description="Rows that say the same, and rows that give the test away."
    )
    grow: GrowSettings = Field(
        default=GrowSettings(), description="More rows for train, made by a model that you name. None by default."
    )
    review: str | None = Field(
        default=None,
        description="The table that `burnish prepare --review` wrote, with `keep` or `drop` beside the rows that you "
        "decided about.",
    )
    licence: str | None = Field(
        default=None, description="The licence of the data, as its card and the model's are to say it."
    )
    leaks: Literal["drop", "keep"] = Field(
        default="drop",
        description="What happens to rows of train and dev that give away a row of the test. With `keep` they are "
        "reported, and there is no verdict until they are gone.",
    )
    canaries: int = Field(
        default=0,
        ge=0,
        le=200,
        description="Rows with a random number to plant into train, marked there; evaluation then tells how well the "
        "specialist remembers them (10 are enough for a mean). They cost a little of what training learns.",
    )
    decontaminate: list[str] = Field(
        default=[],
        description="Files with items of benchmarks that you mean to be judged by: rows of train and dev that hold "
        "such an item are left out.",
    )
    longer: Longer = Field(
        default="drop",
        description="What happens to a row longer than the model's context: `drop` leaves it out; `split` makes "
        "several of a conversation, each with whole answers, or of a text; `cut` leaves out the oldest turns and then "
        "the middle of the longest text before the answer. An answer is never cut, an item of the test never "
        "split.",
    )

    @field_validator("train")
    @classmethod
    def _names_a_file(cls, train: str | list[str | SourceSettings]) -> str | list[str | SourceSettings]:
        if not train or (isinstance(train, list) and not all(train)):
            raise ValueError("name at least one file")
        return train

    @model_validator(mode="after")
    def _names_are_text(self) -> DataSettings:
        for name in filter(None, (*self.train_files, self.dev, self.test, *self.decontaminate)):
            if name != name.encode("utf-8", "replace").decode():
                raise ValueError("the name of this file is no text (UTF-8): rename it")
        return self

    @model_validator(mode="after")
    def _columns_fit_together(self) -> DataSettings:
        if self.template is not None and self.prompt is not None:
            raise ValueError("give `prompt` or `template`, not both")
        if self.completion_template is not None and self.completion is not None:
            raise ValueError("give `completion` or `completion_template`, not both")
        named = {
            "prompt": self.prompt or self.template,
            "completion": self.completion or self.completion_template,
            "rejected": self.rejected,
            "score": self.score,
        }
        for what in (what for what, given in named.items() if given and what not in NAMED.get(self.format, ())):
            raise ValueError(f"`{what}`, by name or as a template, does not apply to format `{self.format}`")
        if self.rejected and not self.completion:
            raise ValueError("`rejected` needs `completion`, the better answer, beside it")
        if self.format == "columns" and not named["prompt"]:
            raise ValueError("format `columns` needs `prompt` or `template`")
        if self.test_rows is not None and self.test is None:
            raise ValueError("`test_rows` has no effect without `test`")
        return self

    @property
    def names_columns(self) -> bool:
        """Whether the user says where some part of a row stands."""
        named = (self.prompt, self.template, self.completion, self.completion_template, self.rejected, self.score)
        return any(named)

    @property
    def train_sources(self) -> list[SourceSettings]:
        """The entries of `train`, all in their long form."""
        entries = [self.train] if isinstance(self.train, str) else self.train
        return [SourceSettings(file=entry) if isinstance(entry, str) else entry for entry in entries]

    @property
    def train_files(self) -> list[str]:
        entries = [self.train] if isinstance(self.train, str) else self.train
        return [entry if isinstance(entry, str) else entry.file for entry in entries]
