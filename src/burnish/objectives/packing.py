"""Token sequences → forests of a stated size, in which a shared beginning stands once.

Rows that start with the same system prompt or examples share one root; the two answers of a pair share their prompt.
Loss and gradients are those of separate rows: tokens that are read may be shared, tokens that are learnt never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from burnish.model.forest import Forest, Segment, plant
from burnish.model.prefixes import Prefixes, find_prefixes


@dataclass(frozen=True)
class Strand:
    """One sequence as the model reads it from the first token on. `row` names it in the forest's targets."""

    tokens: Sequence[int]
    weights: Sequence[float]
    row: int

    @property
    def opening(self) -> tuple[int, ...]:
        """The tokens before the first one that is learnt, and that one: all but the last may be shared."""
        learnt = next((at for at, weight in enumerate(self.weights) if weight), len(self.weights) - 1)
        return tuple(self.tokens[: learnt + 1])


Bundle = Sequence[Strand]  # strands that must stand in one forest


def pack(bundles: Sequence[Bundle], tokens_per_pass: int, *, share: bool = True) -> list[Forest]:
    """Packs bundles into forests that compute at most `tokens_per_pass` tokens (a larger bundle alone).

    Bundles keep their order, except that those under one shared beginning come together.
    """
    prefixes = _shared([strand for bundle in bundles for strand in bundle], share)
    paths = iter(prefixes.paths)
    placed = [(bundle, [next(paths) for _ in bundle]) for bundle in bundles]
    placed.sort(key=lambda one: one[1][0][:1])
    forests: list[list[Strand]] = []
    present: set[int] = set()
    room = 0
    for bundle, runs_of in placed:
        own = sum(len(strand.tokens) - _covered(prefixes, path) for strand, path in zip(bundle, runs_of, strict=True))
        runs = {run for path in runs_of for run in path}
        cost = own + _length(prefixes, runs - present)
        if not forests or cost > room:
            forests.append([])
            room, present, cost = tokens_per_pass, set(), own + _length(prefixes, runs)
        forests[-1].extend(bundle)
        present |= runs
        room -= cost
    return [grow(strands, share=share) for strands in forests]


def grow(strands: Sequence[Strand], *, share: bool = True) -> Forest:
    """One forest of all strands: the shared runs first, then what each strand has to itself."""
    prefixes = _shared(strands, share)
    segments = [Segment(run.tokens, [0.0] * len(run.tokens), parent=run.parent) for run in prefixes.runs]
    for strand, path in zip(strands, prefixes.paths, strict=True):
        begin = _covered(prefixes, path)
        parent = path[-1] if path else -1
        segments.append(Segment(strand.tokens[begin:], strand.weights[begin:], parent=parent, row=strand.row))
    return plant(segments)


def _shared(strands: Sequence[Strand], share: bool) -> Prefixes:
    return find_prefixes([strand.opening for strand in strands]) if share else Prefixes((), ((),) * len(strands))


def _covered(prefixes: Prefixes, path: Sequence[int]) -> int:
    return prefixes.runs[path[-1]].stop if path else 0


def _length(prefixes: Prefixes, runs: set[int]) -> int:
    return sum(len(prefixes.runs[run].tokens) for run in runs)
