"""The columns of a file as its first rows show them, and the names that people give to what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LOOKED_AT = 500
TURNS = ("messages", "conversations", "conversation")
PROMPTS = (
    "prompt",
    "question",
    "query",
    "instruction",
    "input",
    "text",
    "sentence",
    "source",
    "mr",
    "document",
    "article",
    "problem",
    "dialogue",
    "review",
    "utterance",
)
QUESTIONS = ("question", "query")
ANSWERS = ("completion", "response", "answer", "output")
COMPLETIONS = (
    *ANSWERS,
    "target",
    "label",
    "category",
    "intent",
    "class",
    "summary",
    "ref",
    "solution",
    "highlights",
    "sentiment",
)
# A question about one of these means little without it, so they are never left out unasked.
PASSAGES = ("context", "passage", "document", "article", "evidence", "premise", "sentence", "hypothesis")
CHOICES = ("choices", "options", "endings")
PARTS_OF_A_QUESTION = (*PASSAGES, *CHOICES, "option1", "option_a", "choice1", "sol1")
# What a grader compares answers with; no file has it for a model to learn.
REFERENCES = ("reference_answer", "ground_truth", "reward_model", "reference", "rubric", "rubrics")


@dataclass(frozen=True)
class Columns:
    """`names`: the keys that at least half of the rows looked at hold, in the order in which they come up."""

    names: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]

    def first(self, wanted: Sequence[str], without: Sequence[str] = ()) -> str:
        """The first of the wanted names that is a column, in the column's own spelling; "" when none is."""
        by_name = {name.strip().lower(): name for name in reversed(self.names) if name not in without}
        return next((by_name[name] for name in wanted if name in by_name), "")

    def values(self, name: str) -> list[Any]:
        """What stands in a column of the rows looked at, without nulls."""
        return [found for row in self.rows if (found := row.get(name)) is not None]

    def all(self, name: str, test: Callable[[Any], bool]) -> bool:
        """Whether the column has values and all pass the test."""
        values = self.values(name) if name else []
        return bool(values) and all(map(test, values))


def columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """The columns of the first rows of a file."""
    seen = rows[:LOOKED_AT]
    counts: dict[str, int] = {}
    for row in seen:
        for key in row:
            counts[key] = counts.get(key, 0) + 1
    return Columns(tuple(key for key, count in counts.items() if 2 * count >= len(seen)), seen)
