"""What the loop works on: rows, an objective that turns them into sums, and where training stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from torch import Tensor

from burnish.model.decoder import Decoder
from burnish.model.forest import Forest

Row = TypeVar("Row")  # what an objective learns from: a rendered answer, a rendered pair
Row_contra = TypeVar("Row_contra", contravariant=True)


class Objective(Protocol[Row_contra]):
    """What the loop asks of an objective: forests, counts to divide by, and sums.

    The names of counts and terms are the same whatever the rows, also for no rows at all: a rank may have none. The
    loss is the sum of all terms, each divided by its count; a term with a slash in its name (`pair/margin`) is no part
    of it, only reported.
    """

    def passes(self, rows: Sequence[tuple[int, Row_contra]], tokens_per_pass: int) -> list[Forest]: ...

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]: ...

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]: ...


# (step, rows of this rank) → the rows that are learnt at this step. An objective that learns from the model's own words
# has them drawn here, at the weights of the moment; seeds follow from step and row, so that a run that goes on draws
# the same. Dev, and what is tried before step 1, are read as they stand.
Draw: TypeAlias = Callable[[int, Sequence[tuple[int, Any]]], Sequence[tuple[int, Any]]]


def as_they_are(step: int, rows: Sequence[tuple[int, Any]]) -> Sequence[tuple[int, Any]]:
    """The draw of objectives that learn from given rows."""
    return rows


class Rehearsal(Protocol):
    """A further term of the loss on forests of its own: weight · Σ term / Σ count, where there are rows at a step.

    `passes` gives this rank's share of the rows of one step: a pure function of its arguments, so that a run that goes
    on meets the same rows. `name` is what the mean is called in metrics.jsonl.
    """

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    def passes(self, step: int, rank: int, size: int, tokens_per_pass: int) -> list[Forest]: ...

    def count(self, passes: Sequence[Forest]) -> float: ...

    def term(self, model: Decoder, forest: Forest) -> Tensor: ...


class Penalty(Protocol):
    """A further term of the loss on the weights alone, as a sum of parts. The gradient of one part is taken before the
    next is asked for: memory for all of them is never needed."""

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    def parts(self) -> Iterator[Tensor]: ...


@dataclass(frozen=True)
class Guards:
    """What is learnt beside the objective so that the model keeps what it knew."""

    rehearsals: Sequence[Rehearsal] = ()
    penalties: Sequence[Penalty] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*(guard.name for guard in self.rehearsals), *(guard.name for guard in self.penalties))


NO_GUARDS = Guards()


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """Rendered rows with the place each came from, and where it is known how many tokens each has."""

    rendered: Sequence[Row]
    sources: Sequence[str]
    lengths: Sequence[int] = ()

    def take(self, numbers: Sequence[int]) -> list[tuple[int, Row]]:
        return [(number, self.rendered[number]) for number in numbers]


@dataclass
class Progress:
    """Where training stands: what a checkpoint's state.json holds."""

    step: int = 0
    best_step: int = 0
    best_loss: float | None = None
    worse: int = 0
    skipped: int = 0  # updates left out in a row
    history: list[tuple[int, float]] = field(default_factory=list)

    def note(self, dev_loss: float) -> None:
        """Takes in a measurement on dev."""
        self.history.append((self.step, dev_loss))
        if self.best_loss is None or dev_loss < self.best_loss:
            self.best_loss, self.best_step, self.worse = dev_loss, self.step, 0
        else:
            self.worse += 1
