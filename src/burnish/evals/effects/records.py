"""Side effects as data: what verdict.json holds beside the outcome. They inform and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from burnish.evals.statistics import Mean


@dataclass(frozen=True)
class Spread:
    """How long answers are."""

    mean: float
    shortest: int
    median: int
    p95: int
    longest: int


@dataclass(frozen=True)
class ArmEffects:
    """The answers of one arm to the task. `tokens` is None where the items do not tell it.

    `shares` maps what may be true of an answer (`valid`, `cut_off`, `looping`, `refused`, `verbatim`) to how many
    answers it is true of. `longest_verbatim`: words of the longest span that stands in train; None: not looked for.
    """

    arm: str
    words: Spread
    tokens: Spread | None
    shares: Mapping[str, Mean]
    longest_verbatim: int | None


@dataclass(frozen=True)
class SuiteRefusals:
    """How often each arm refuses in a suite of the memory check."""

    suite: str
    refused: Mapping[str, Mean]


@dataclass(frozen=True)
class Bin:
    """Answers of neighbouring confidence: how sure the model was, and how often it was right."""

    confidence: float
    right: Mean


@dataclass(frozen=True)
class Calibration:
    """Does an arm know how sure it may be of its labels? `ece` is the expected calibration error, 0 … 1.

    `agrees`: how often the likeliest label is the one that the answer names.
    """

    arm: str
    n: int
    ece: float
    confidence: float
    accuracy: float
    agrees: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Exposure:
    """What one arm knows of the canaries: `bits` is the mean exposure, `most` what full memorisation would give.

    `chance` is the mean that a model which never saw them would have; `first`: canaries that rank before all others.
    """

    arm: str
    canaries: int
    bits: float
    chance: float
    most: float
    first: int


@dataclass(frozen=True)
class GroupScores:
    """One group of test rows: the score that decides, by arm."""

    group: str
    n: int
    scores: Mapping[str, Mean]


@dataclass(frozen=True)
class Gap:
    """The largest difference between two groups in one arm; `p`: how often chance gives one as large."""

    arm: str
    gap: float
    best: str
    worst: str
    p: float


@dataclass(frozen=True)
class GroupColumn:
    """The scores by the values of one column of the test rows. `warning` names groups too small to tell."""

    column: str
    metric: str
    groups: tuple[GroupScores, ...]
    gaps: tuple[Gap, ...]
    warning: str


@dataclass(frozen=True)
class SideEffects:
    """All of them. `valid_means` says which answers count as valid; `train_rows` were searched for verbatim spans."""

    valid_means: str
    train_rows: int
    arms: tuple[ArmEffects, ...] = ()
    refusals: tuple[SuiteRefusals, ...] = ()
    calibration: tuple[Calibration, ...] = ()
    exposure: tuple[Exposure, ...] = ()
    groups: tuple[GroupColumn, ...] = ()
