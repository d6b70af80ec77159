"""How long rows are as the model reads them, and which of them are looked at: all, or a fair sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import DataError
from burnish.core.records import Row
from burnish.data.mix.chance import ranks
from burnish.data.selection import Selection
from burnish.render.batch import Length

LengthsOf: TypeAlias = Callable[[Iterable[Row]], Iterator[Length | DataError]]
LENGTHS = np.dtype([("tokens", "i4"), ("learnt", "i4")])


def measure(
    selection: Selection, part: str, count: int | None, *, seed: int, lengths_of: LengthsOf, context: int
) -> NDArray[np.void]:
    """Leaves out rows of a part that do not fit the context, and all but a seeded sample of `count` of those that do.

    Returns tokens and learnt tokens of each row, 0 for those that were not looked at. `lengths_of` gives a DataError
    for a row that the chat template refuses.
    """
    lengths_N = np.zeros(len(selection.alive_N), LENGTHS)
    numbers = selection.numbers(part)
    if count is not None:
        numbers = numbers[np.argsort(ranks(selection.rows.keys()[numbers], seed, "rows"), kind="stable")]
    fitting = 0
    looked_at = numbers.tolist()
    lengths = lengths_of(selection.row(number) for number in looked_at)
    for number in looked_at:
        if fitting == count:
            selection.drop(number, "not_sampled", whole=False)
            continue
        length = next(lengths)
        if isinstance(length, DataError):
            selection.drop(number, "not_renderable", f"{length.what} {length.seen}".strip())
        elif length.tokens > context:
            selection.drop(number, "too_long", f"{length.tokens} tokens, context {context}")
        else:
            lengths_N[number] = (length.tokens, length.learnt)
            fitting += 1
    return lengths_N
