"""What of the base model's knowledge is checked: which suites, the user's own files, lm-eval tasks, drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, Field, model_validator

from burnish.core.files import sha256_of_file
from burnish.core.settings import Settings

SuiteName: TypeAlias = Literal[
    "knowledge",
    "understanding",
    "arithmetic",
    "german",
    "instructions",
    "refusals",
    "over_refusals",
    "general_text",
]
SUITES: tuple[SuiteName, ...] = get_args(SuiteName)
WORDS: Mapping[str, Mapping[str, Any]] = {
    "auto": {},
    "short": {"size": "short"},
    "off": {"suites": [], "drift": False},
}


class ExtraSuite(Settings):
    """A file of your own as a further suite; its name alone is short for `{file: NAME}`. JSONL of {prompt, choices,
    answer} (the place of the right choice, from 0), {prompt, checks} or {text}; one sort a file.
    """

    file: str = Field(min_length=1, description="The file, from the recipe's folder.")
    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][\w.-]*$",
        description="What the verdict calls the suite; null is the file's name without its ending.",
    )
    margin: float | None = Field(
        None, gt=0, description="Tolerated loss in the unit of the suite's score; null is that of its sort."
    )

    @property
    def suite(self) -> str:
        """The name that the verdict shows."""
        return self.name or Path(self.file).name.split(".")[0]


class LmEvalTask(Settings):
    """A task of lm-eval as a further suite, as that package asks it; `arc_easy` is short for `{task: arc_easy}`. Needs
    `pip install "burnish[eval]"`, and the task's data from the network or the cache.
    """

    task: str = Field(min_length=1, description="Name of a task (not of a group), or a YAML file that describes one.")
    items: int | None = Field(None, ge=1, description="How many of its first items are asked; null is all of them.")
    margin: float | None = Field(
        None, gt=0, description="Tolerated loss in the unit of the score; null is that of such scores."
    )

    @property
    def suite(self) -> str:
        """The name that the verdict shows."""
        return Path(self.task).name.removesuffix(".yaml")


def _named(key: str) -> BeforeValidator:
    """A text is short for a mapping with that one key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class RetentionSettings(Settings):
    """Check of what the model knew before. Three words stand for a whole group: `auto` asks all items of all shipped
    suites, `short` a fixed part of each (quick, but shows only large losses), `off` nothing: then nothing is said about
    memory.
    """

    size: Literal["all", "short"] = Field("all", description="All items of the shipped suites or a fixed part of each.")
    suites: tuple[SuiteName, ...] = Field(SUITES, description="The shipped suites that are asked.")
    extra: tuple[Annotated[ExtraSuite, _named("file")], ...] = Field((), description="Files of your own.")
    lm_eval: tuple[Annotated[LmEvalTask, _named("task")], ...] = Field((), description="Tasks of the lm-eval package.")
    drift: bool = Field(
        True,
        description="Whether to measure how far the specialist's next-token distributions are from the base's, on the "
        "base's own answers to general prompts.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return WORDS.get(value, value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _names_differ(self) -> RetentionSettings:
        added = self.names[len(self.suites) :]
        counts = Counter([*added, *SUITES, "task", "drift"]) | Counter(self.suites)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"two suites are called {twice[0]}: give one another `name`, or leave it out")
        return self

    @property
    def names(self) -> list[str]:
        """All suites, in the order of the verdict."""
        return [*self.suites, *(one.suite for one in self.extra), *(one.suite for one in self.lm_eval)]

    @property
    def summary(self) -> str:
        """In a line, for a plan."""
        parts = [*self.names, *(["drift"] if self.drift else [])]
        short = " (a part of each shipped suite)" if self.size == "short" and self.suites else ""
        return ", ".join(parts) + short if parts else "not checked"


def with_suites_from(settings: RetentionSettings, base: Path) -> RetentionSettings:
    """The settings with the user's files named absolutely; names start from the folder `base`. What is no file there
    is the name of a task and stays.
    """

    def absolute(name: str) -> str:
        return str((base / Path(name).expanduser()).absolute())

    extra = tuple(one.model_copy(update={"file": absolute(one.file)}) for one in settings.extra)
    tasks = tuple(
        one.model_copy(update={"task": absolute(one.task)}) if one.task.endswith(".yaml") else one
        for one in settings.lm_eval
    )
    return settings.model_copy(update={"extra": extra, "lm_eval": tasks})


def suite_files(settings: RetentionSettings) -> dict[str, str]:
    """Name of the suite → hash of its file, for those that are files."""
    named = [(one.suite, one.file) for one in settings.extra]
    named += [(one.suite, one.task) for one in settings.lm_eval if one.task.endswith(".yaml")]
    return {name: sha256_of_file(Path(file)) for name, file in named if Path(file).is_file()}
