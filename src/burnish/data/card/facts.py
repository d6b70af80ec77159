"""The figures of the card, as plain records that the stage fills and card.json holds."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from burnish.core.errors import BurnishError
from burnish.core.files import read_json
from burnish.data.cleaning.outcome import Observation
from burnish.data.intake import Source
from burnish.data.shape import AnswerShape

CountsByPart: TypeAlias = Mapping[str, Mapping[str, int]]  # part that the rows came from → reason → how many


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
    """One of train, dev, test as written. `learnt` counts the tokens that training learns to say, None if unknown."""

    rows: int
    groups: int
    tokens: Tokens
    learnt: int | None = None


@dataclass(frozen=True)
class Duplicates:
    """Clusters of rows that say or ask the same; one never stands in two parts.

    `clusters` are those of two rows and more, which hold `rows` rows, the largest one `largest`. Rows in far too large
    clusters were kept with their nearest only (`loosened`), or only with those that ask the same (`parted`).
    """

    clusters: int
    rows: int
    largest: int
    near: bool
    loosened: int = 0
    parted: int = 0
    semantic: str = "off"


@dataclass(frozen=True)
class Private:
    """What private data was looked for and what was done about it. How much there was stands in the counts."""

    action: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class LicenceNote:
    """What a file beside the data, or the hub, says about a licence: quoted, not judged."""

    where: str
    quote: str


@dataclass(frozen=True)
class DataCard:
    """`dropped`, `changed` and `flagged` map the part that the rows came from to reason → how many.

    rows_in + rows_made = rows written + rows dropped; `made` says how rows were made of others. A row may be changed or
    flagged several times. `languages` maps prompt and answer to language → rows that are long enough to tell; `kinds`
    maps the kind of row to rows written; `made_by` maps a model to rows of train that it wrote, `grown` the way it made
    them; what it wrote and was not used is counted in `dropped` under "made". `leaks_kept` rows of train and
    dev give a row of the test away. `searched` are files of benchmark items that train was held against.
    """

    sources: tuple[Source, ...]
    rows_in: int
    parts: Mapping[str, PartFacts]
    dropped: CountsByPart
    rows_cut: int
    prompts_with_several_answers: int
    own_test: bool
    shape: AnswerShape
    instructions: str | None
    seed: int
    context: int
    changed: CountsByPart = field(default_factory=dict)
    flagged: CountsByPart = field(default_factory=dict)
    licence: str | None = None
    licences_found: tuple[LicenceNote, ...] = ()
    languages: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    duplicates: Duplicates | None = None
    searched: tuple[str, ...] = ()
    private: Private | None = None
    split_by: str = "group"
    test_can_show: str = ""
    observations: tuple[Observation, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)
    leaks_kept: int = 0
    made_by: Mapping[str, int] = field(default_factory=dict)
    made: Mapping[str, int] = field(default_factory=dict)
    grown: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows_written(self) -> int:
        return sum(part.rows for part in self.parts.values())

    @property
    def rows_dropped(self) -> int:
        return sum(count for reasons in self.dropped.values() for count in reasons.values())

    @property
    def rows_made(self) -> int:
        """How many more rows there are because some were split, stand several times, or were made by a model."""
        return sum(self.made.values())

    @property
    def learnt_share(self) -> float | None:
        """Tokens of train that are learnt, of all its tokens; the others are read only."""
        train = self.parts.get("train")
        return train.learnt / train.tokens.total if train and train.learnt is not None and train.tokens.total else None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> DataCard:
        """The inverse of `to_json`."""
        return TypeAdapter(DataCard).validate_python(value)


def read_card(path: Path) -> DataCard:
    """The card.json that `prepare` wrote. Raises BurnishError: it is absent or damaged."""
    try:
        return DataCard.from_json(read_json(path))
    except ValidationError as error:
        raise BurnishError(
            "The data card is not what `burnish prepare` writes.",
            where=str(path),
            seen=str(error.errors()[0]["loc"]),
            next_move="run `burnish prepare` again, with --fresh",
        ) from error


def part_measured(tokens_M: NDArray[np.int64], *, groups: int, learnt: int | None) -> PartFacts:
    """The facts of one part from the lengths of its rows in tokens; it holds at least one row."""
    lengths_M = np.sort(tokens_M)

    def at(share: float) -> int:
        return int(lengths_M[min(len(lengths_M) - 1, int(share * len(lengths_M)))])

    measured = Tokens(total=int(lengths_M.sum()), shortest=at(0), median=at(0.5), p95=at(0.95), longest=at(1))
    return PartFacts(len(lengths_M), groups, measured, learnt)


def summed(counts: CountsByPart) -> dict[str, int]:
    """reason → how many in all parts, the commonest first."""
    total: Counter[str] = Counter()
    for reasons in counts.values():
        total.update(reasons)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
