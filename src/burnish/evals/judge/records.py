"""What the judge came to, as data: part of verdict.json."""

from __future__ import annotations

from dataclasses import dataclass

from burnish.evals.statistics import Mean


@dataclass(frozen=True)
class JudgedComparison:
    """The specialist against one opponent over n items. `delta` is the share won less the share lost.

    A comparison is won or lost when both orders say so; all else is a tie: both say so (or the answers are `equal`),
    the orders contradict each other (`flipped`), one of them sees a tie (`unsure`), or a reply is `unreadable`. `lean`
    is the judge's mean log-odds for the specialist over both orders, in nats, where the judge gives log-probabilities:
    it decides nothing.
    """

    opponent: str
    n: int
    won: int
    lost: int
    equal: int
    flipped: int
    unsure: int
    unreadable: int
    delta: float
    low: float
    high: float
    p: float
    p_holm: float
    method: str
    lean: Mean | None = None


@dataclass(frozen=True)
class Agreement:
    """Does the judge agree with itself when the answers change places? `pi` is Scott's pi (1955): 0 is chance.

    n: comparisons read in both orders. first_share: how often, where it decided, the answer shown first was taken.
    longer_share: how often the longer one was, of those decided alike in both orders. None: it never decided.
    """

    n: int
    same: float
    chance: float
    pi: float
    low: float
    high: float
    first_share: float | None
    longer_share: float | None
    repeated: int
    repeated_same: int


@dataclass(frozen=True)
class JudgedVerdict:
    """All comparisons, and whether the judge is one whose word counts."""

    judge: str
    able: bool
    reason: str
    agreement: Agreement
    comparisons: tuple[JudgedComparison, ...]
