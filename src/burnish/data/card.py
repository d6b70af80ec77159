"""The data card: what came in, what became of every row, and what the task looks like."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from burnish.core.files import read_json
from burnish.core.records import Row
from burnish.data.group import by_group
from burnish.data.intake import Source
from burnish.data.reasons import REASONS
from burnish.data.shape import AnswerShape

SHOWN_LABELS = 20


@dataclass(frozen=True)
class Tokens:
    """Lengths of rendered rows in tokens."""

    total: int
    shortest: int
    median: int
    p95: int
    longest: int


@dataclass(frozen=True)
class PartFacts:
    """One of train, dev, test as written."""

    rows: int
    groups: int
    tokens: Tokens


@dataclass(frozen=True)
class DataCard:
    """`dropped` maps the part that the rows came from to reason → rows. rows_in = rows written + rows dropped."""

    sources: tuple[Source, ...]
    rows_in: int
    parts: Mapping[str, PartFacts]
    dropped: Mapping[str, Mapping[str, int]]
    rows_cut: int
    prompts_with_several_answers: int
    own_test: bool
    shape: AnswerShape
    instructions: str | None
    seed: int
    context: int

    @property
    def rows_written(self) -> int:
        return sum(part.rows for part in self.parts.values())

    @property
    def rows_dropped(self) -> int:
        return sum(count for reasons in self.dropped.values() for count in reasons.values())

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> DataCard:
        """The inverse of `to_json`."""
        return TypeAdapter(DataCard).validate_python(value)


def read_card(path: Path) -> DataCard:
    """The card.json that `prepare` wrote. Raises BurnishError: it is absent or damaged."""
    return DataCard.from_json(read_json(path))


def part_facts(rows: Sequence[Row], tokens_by_id: Mapping[str, int]) -> PartFacts:
    """The facts of one part; it holds at least one row."""
    lengths = sorted(tokens_by_id[row.id] for row in rows)

    def at(share: float) -> int:
        return lengths[min(len(lengths) - 1, int(share * len(lengths)))]

    return PartFacts(
        rows=len(rows),
        groups=len(by_group(rows)),
        tokens=Tokens(total=sum(lengths), shortest=lengths[0], median=at(0.5), p95=at(0.95), longest=lengths[-1]),
    )


def markdown(card: DataCard) -> str:
    """card.md, for people."""
    sizes = " + ".join(f"{part.rows} {name}" for name, part in card.parts.items())
    sections = [
        "# Data card",
        f"{card.rows_in} rows in = {sizes} + {card.rows_dropped} dropped (seed {card.seed}).",
        "## Files",
        _files(card),
        "## Parts",
        _parts(card),
        "## Dropped",
        _dropped(card),
        "## Answers",
        _answers(card),
    ]
    return "\n\n".join(sections) + "\n"


def _files(card: DataCard) -> str:
    header = ["part", "file", "rows", "format", "keys", "not read", "first row", "sha256"]
    return _table(
        header,
        (
            (
                one.part,
                one.file,
                one.rows,
                one.format,
                *map(", ".join, (one.keys, one.unread_keys)),
                one.first_row,
                one.sha256,
            )
            for one in card.sources
        ),
    )


def _parts(card: DataCard) -> str:
    header = ["part", "rows", "groups", "tokens", "shortest", "median", "95 %", "longest"]
    table = _table(
        header,
        ((name, part.rows, part.groups, *dataclasses.astuple(part.tokens)) for name, part in card.parts.items()),
    )
    test = "The test part is the user's own file." if card.own_test else "The test part was split off by group."
    groups = "A group holds rows that ask the same up to case, spacing and punctuation; it never stands in two parts."
    return f"{table}\n\n{groups} {test}"


def _dropped(card: DataCard) -> str:
    lines = [
        (part, reason, count, REASONS[reason])
        for part, reasons in card.dropped.items()
        for reason, count in reasons.items()
    ]
    table = _table(["from", "reason", "rows", "meaning"], lines) if lines else "No row was dropped."
    cut = f"Conversations cut after their last answer: {card.rows_cut}."
    return f"{table}\n\nEvery dropped row stands in dropped.jsonl with its place. {cut}"


def _answers(card: DataCard) -> str:
    shape = card.shape
    names = shape.labels or shape.json_keys
    shown = ", ".join(_cell(name) for name in names[:SHOWN_LABELS]) + (", …" if len(names) > SHOWN_LABELS else "")
    what = {"label": f"{len(names)} labels: {shown}", "json": f"JSON objects with the keys {shown}"}
    several = f"Prompts with more than one answer: {card.prompts_with_several_answers}."
    return f"Kind: {what.get(shape.kind, shape.kind)}.\n\n{several}"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    """Text from data may not end a cell or start a tag or a link."""
    text = str(value).replace("\n", " ")
    for character in "\\`|<>[]*":
        text = text.replace(character, f"\\{character}")
    return text
