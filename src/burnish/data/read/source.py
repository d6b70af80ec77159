"""One input → its rows, and then the facts about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from burnish.data.read.raw import FileFacts, RawOrDropped, Reading


@dataclass
class Source:
    """A file, or a folder of texts. Each call of `rows` is a pass over it, from the disk."""

    name: str
    read: Callable[[], Reading]
    known: list[FileFacts] = field(default_factory=list, repr=False)

    def rows(self) -> Iterator[RawOrDropped]:
        """Every row in order. Raises DataError, also in the middle: the input as a whole is unusable."""
        self.known.clear()
        self.known.append((yield from self.read()))

    def facts(self) -> FileFacts:
        """What is known once `rows` came to its end."""
        assert self.known, "the rows have to be read to their end first"
        return self.known[0]
