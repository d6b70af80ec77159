"""Less context before an answer: the oldest turns go first, then the middle of the longest text. Answers stay whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

from burnish.core.records import Changed, Chat, Message, Pair, Prompt, Rated
from burnish.data.mix.fitting import LengthOf, Shortened, left_out, most_that_fits
from burnish.data.mix.passages import WORD
from burnish.data.mix.turns import as_json, exchanges

Talk: TypeAlias = Chat | Pair | Rated | Prompt
MARK = " … "  # stands where text was left out, so that nobody takes the rest for the whole
LEAST_KEPT = 10  # at least a tenth of a text stays: an answer to what cannot be read teaches making things up


def cut_context(row: Talk, tokens: int, limit: int, length_of: LengthOf) -> Shortened:
    """The row with the system message and as many of its last turns as fit. Where not even the last one does, the
    longest text in it that is no answer loses its middle: instructions stand at the beginning or at the end.

    Left out is a row whose longest text would have to lose more than nine tenths.
    """
    system, found = exchanges(_messages(row))

    def last(count: int) -> Talk:
        return _with(row, (*system, *chain(*found[len(found) - count :])))

    turns = most_that_fits(1, len(found), limit, lambda count: length_of(last(count)), tokens) if found[1:] else None
    shorter = last(turns or 1)
    field = "messages" if isinstance(row, Chat) else "prompt"
    changed: list[Changed] = []
    if len(found) > (turns or 1):
        before, after = as_json(_messages(row)), as_json(_messages(shorter))
        changed.append(Changed(row.source, row.id, "turns_left_out", field, before, after))
    if turns is not None:
        return Shortened((shorter,), tuple(changed))
    cut = _cut_longest(_messages(shorter), limit, lambda messages: length_of(_with(row, messages)), tokens)
    if cut is None:
        return Shortened((), dropped=(left_out(row, tokens, limit, "even with a tenth of its longest text"),))
    at, messages = cut
    before, after = _messages(shorter)[at].content, messages[at].content
    changed.append(Changed(row.source, row.id, "context_cut", f"{field}.{at}.content", before, after))
    return Shortened((_with(row, messages),), tuple(changed))


def _cut_longest(
    messages: Sequence[Message], limit: int, length_of: Callable[[Sequence[Message]], int], tokens: int
) -> tuple[int, tuple[Message, ...]] | None:
    """The index of the longest message that is no answer, and all messages with its middle left out. None where too
    little of it would be left."""
    context = [n for n, message in enumerate(messages) if message.role != "assistant"]
    if not context:
        return None
    at = max(context, key=lambda n: len(messages[n].content))
    text = messages[at].content
    words_W = [match.span() for match in WORD.finditer(text)]
    if not words_W:
        return None

    def with_words(count: int) -> tuple[Message, ...]:
        content = _without_middle(text, words_W, count)
        return (*messages[:at], replace(messages[at], content=content), *messages[at + 1 :])

    kept = most_that_fits(
        len(words_W) // LEAST_KEPT + 1, len(words_W), limit, lambda n: length_of(with_words(n)), tokens
    )
    return None if kept is None else (at, with_words(kept))


def _without_middle(text: str, words_W: Sequence[tuple[int, int]], count: int) -> str:
    """The first half of `count` words as they stand, the mark, and the last half."""
    front, back = (count + 1) // 2, count // 2
    end = words_W[front - 1][1]
    start = words_W[-back][0] if back else len(text)
    return f"{text[:end]}{MARK}{text[start:]}".rstrip()


def _messages(row: Talk) -> tuple[Message, ...]:
    return row.messages if isinstance(row, Chat) else row.prompt


def _with(row: Talk, messages: Sequence[Message]) -> Talk:
    match row:
        case Chat():
            return replace(row, messages=tuple(messages))
        case _:
            return replace(row, prompt=tuple(messages))
