"""What happens to a row that is longer than the model's context."""

from __future__ import annotations

from burnish.core.records import Chat, Row, Text
from burnish.data.mix.context import cut_context
from burnish.data.mix.fitting import LengthOf, Shortened, left_out
from burnish.data.mix.passages import split_on_paragraphs
from burnish.data.mix.settings import Longer
from burnish.data.mix.turns import split_on_turns


def shorten(row: Row, limit: int, length_of: LengthOf, policy: Longer, *, tokens: int | None = None) -> Shortened:
    """The row itself where it fits into `limit` tokens; else left out, or made to fit as `policy` says.

    `tokens` is its length where that is known already. `split` makes several of a conversation or a text and leaves out
    other rows; `cut` shortens what stands before an answer, and splits a text, all of which is learnt. Raises what
    `length_of` raises for a shorter form of the row.
    """
    tokens = length_of(row) if tokens is None else tokens
    if tokens <= limit:
        return Shortened((row,))
    if isinstance(row, Text) and policy != "drop":
        return split_on_paragraphs(row, tokens, limit, length_of)
    if isinstance(row, Chat) and policy == "split":
        return split_on_turns(row, tokens, limit, length_of)
    if isinstance(row, Text) or policy != "cut":
        return Shortened((), dropped=(left_out(row, tokens, limit),))
    return cut_context(row, tokens, limit, length_of)
