"""Where the names of special tokens stand in a text. Some models have thousands of them, and most texts hold none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class SpecialNames:
    """Names of special tokens with their ids, and what finds them quickly: `lengths` are those that occur, longest
    first, `first` matches a character with which one begins, None where there are no names."""

    ids: Mapping[str, int]
    lengths: tuple[int, ...]
    first: re.Pattern[str] | None

    def found_in(self, text: str) -> set[str]:
        """The names that occur anywhere in the text."""
        starts = (match.start() for match in self.first.finditer(text)) if self.first else ()
        return {text[at : at + length] for at in starts for length in self.lengths} & self.ids.keys()

    def split(self, text: str) -> Iterator[str]:
        """The text cut before and after each name, the longest where several begin at one character."""
        cuts = [0]
        for match in self.first.finditer(text) if self.first else ():
            at = match.start()
            length = next((length for length in self.lengths if text[at : at + length] in self.ids), 0)
            if length and at >= cuts[-1]:
                cuts += [at, at + length]
        return (text[start:end] for start, end in pairwise([*cuts, len(text)]) if start < end)


def special_names(ids: Mapping[str, int]) -> SpecialNames:
    """Makes the tables. `ids` must not hold the empty name."""
    letters = sorted({name[0] for name in ids})
    first = re.compile(_one_of(letters)) if letters else None
    return SpecialNames(ids, tuple(sorted({len(name) for name in ids}, reverse=True)), first)


def _one_of(characters: Iterable[str]) -> str:
    return "[" + "".join(map(re.escape, characters)) + "]"
