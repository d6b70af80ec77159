"""How long rows are as the model reads them, and which of them are looked at: all, or a fair sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import DataError
from burnish.core.hardware import cores
from burnish.core.records import Prompt, Row
from burnish.data.mix.chance import ranks
from burnish.data.selection import Selection
from burnish.data.store import RowStore
from burnish.data.workers import in_order
from burnish.render.batch import Length

LengthsOf: TypeAlias = Callable[[Iterable[Row]], Iterator[Length | DataError]]
ROWS_A_CHUNK = 256
LENGTHS = np.dtype([("tokens", "i4"), ("learnt", "i4")])


def measure(
    selection: Selection, part: str, count: int | None, *, seed: int, lengths_of: LengthsOf, most: int | None
) -> NDArray[np.void]:
    """Leaves out rows of a part with more than `most` tokens, and all but a seeded sample of `count` of the others.

    Returns tokens and learnt tokens of each row, 0 for those that were not looked at. `lengths_of` gives a DataError
    for a row that the chat template refuses.
    """
    lengths_N = np.zeros(len(selection.alive_N), LENGTHS)
    numbers = selection.numbers(part)
    if count is not None:
        numbers = numbers[np.argsort(ranks(selection.rows.keys()[numbers], seed, "rows"), kind="stable")]
    fitting = 0
    lengths_of_rows = partial(_lengths, selection.rows.store, lengths_of)
    lengths = in_order(lengths_of_rows, map(int, numbers), chunk=ROWS_A_CHUNK, workers=cores())
    for number in map(int, numbers):
        if fitting == count:
            selection.drop(number, "not_sampled", whole=False)
            continue
        length = next(lengths)
        if isinstance(length, DataError):
            selection.drop(number, "not_renderable", f"{length.what} {length.seen}".strip())
        elif most is not None and length.tokens > most:
            selection.drop(number, "too_long", f"{length.tokens} tokens, context {most}")
        else:
            lengths_N[number] = (length.tokens, length.learnt)
            fitting += 1
    return lengths_N


def _lengths(store: RowStore, lengths_of: LengthsOf, numbers: list[int]) -> list[Length | DataError]:
    rows = [store[number] for number in numbers]
    return [_checked(row, length) for row, length in zip(rows, lengths_of(rows), strict=True)]


def _checked(row: Row, length: Length | DataError) -> Length | DataError:
    if isinstance(length, DataError) or length.learnt or isinstance(row, Prompt):
        return length
    return DataError("The model's chat template leaves no token of this row to learn.")
