"""Which prompts begin alike, so that a shared beginning is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

# A shorter beginning costs more at every later step, as one more run to attend to, than computing it again.
LEAST_SHARED = 32


@dataclass(frozen=True)
class SharedRun:
    """Tokens that several prompts share from `start` on. `parent` is the run before this one, -1 for a first one."""

    tokens: tuple[int, ...]
    start: int
    parent: int

    @property
    def stop(self) -> int:
        return self.start + len(self.tokens)


@dataclass(frozen=True)
class Prefixes:
    """runs: parents before children. paths: for each prompt its runs from the first token on, never its last token."""

    runs: tuple[SharedRun, ...]
    paths: tuple[tuple[int, ...], ...]

    def covered(self, prompt: int) -> int:
        """How many of a prompt's first tokens lie in shared runs."""
        path = self.paths[prompt]
        return self.runs[path[-1]].stop if path else 0


def find_prefixes(prompts: Sequence[tuple[int, ...]], least: int = LEAST_SHARED, worth: int = 0) -> Prefixes:
    """The forest of shared beginnings of at least `least` tokens each, which save at least `worth` tokens in all.

    Each prompt keeps at least its last token to itself, because what follows is predicted there.
    """
    runs: list[SharedRun] = []
    paths: list[tuple[int, ...]] = [()] * len(prompts)
    in_order = sorted(range(len(prompts)), key=lambda index: prompts[index])
    waiting: list[tuple[list[int], tuple[int, ...], int]] = [(in_order, (), 0)] if len(prompts) > 1 else []
    while waiting:
        members, path, known = waiting.pop()
        # in sorted order, what the first and the last share, all share, and the first is the shortest to end there
        first, last = prompts[members[0]], prompts[members[-1]]
        common = _common(first, last, known)
        start, stop = runs[path[-1]].stop if path else 0, min(common, len(first) - 1)
        if stop - start >= least and (len(members) - 1) * (stop - start) >= worth:
            runs.append(SharedRun(first[start:stop], start, path[-1] if path else -1))
            path = (*path, len(runs) - 1)
        for member in members:
            paths[member] = path
        branches = [list(same) for _, same in groupby(members, key=lambda index: prompts[index][common : common + 1])]
        further = [branch for branch in branches if len(branch) > 1 and len(prompts[branch[0]]) > common]
        waiting.extend((branch, path, common) for branch in reversed(further))
    return Prefixes(tuple(runs), tuple(paths))


def _common(one: tuple[int, ...], other: tuple[int, ...], known: int) -> int:
    """How many first tokens are the same, `known` of them already found so."""
    length = min(len(one), len(other))
    return next((at for at in range(known, length) if one[at] != other[at]), length)
