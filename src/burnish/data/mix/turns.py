"""Conversations by exchanges, and a long one as several."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import TypeAlias

from burnish.core.records import Changed, Chat, Dropped, Message
from burnish.data.mix.fitting import LengthOf, Shortened, left_out

Exchange: TypeAlias = tuple[Message, ...]  # a question, the calls of tools it leads to, and the answer


def exchanges(messages: Sequence[Message]) -> tuple[Exchange, list[Exchange]]:
    """The system message (or nothing), and the rest cut after each answer that ends the assistant's turn."""
    first = 1 if messages and messages[0].role == "system" else 0
    body = messages[first:]
    cuts = [n for n, (one, other) in enumerate(pairwise(body), 1)
            if one.role == "assistant" and other.role in ("user", "system")]  # fmt: skip
    found = [tuple(body[start:end]) for start, end in pairwise([0, *cuts, len(body)])]
    return tuple(messages[:first]), found


def as_json(messages: Iterable[Message]) -> str:
    """Messages as a record of what they were."""
    return json.dumps([message.to_json() for message in messages], ensure_ascii=False)


def split_on_turns(row: Chat, tokens: int, limit: int, length_of: LengthOf) -> Shortened:
    """The conversation as several, each with the system message and as many exchanges in a row as fit.

    No answer is in two of them. A question at the beginning of one no longer sees what stood before it. An exchange
    that does not fit alone is left out, and so is what holds no answer to learn.
    """
    system, found = exchanges(row.messages)
    if len(found) < 2:
        return Shortened((), dropped=(left_out(row, tokens, limit, "a single exchange"),))

    def part(start: int, end: int) -> Chat:
        return replace(row, id=f"{row.id}.{start + 1}", messages=(*system, *chain(*found[start:end])))

    alone = [length_of(part(n, n + 1)) for n in range(len(found))]
    rows: list[Chat] = []
    dropped: list[Dropped] = []
    for start, end in _runs(alone, tokens, limit, lambda start, end: length_of(part(start, end))):
        one = part(start, end)
        if alone[start] > limit:
            dropped.append(left_out(one, alone[start], limit, f"exchange {start + 1} of {len(found)}"))
        elif not any(message.trained for message in one.messages if message.role == "assistant"):
            dropped.append(left_out(one, tokens, limit, "a part without an answer to learn"))
        else:
            rows.append(one)
    changed: tuple[Changed, ...] = ()
    if rows:
        after = json.dumps([one.id for one in rows])
        changed = (Changed(row.source, rows[0].id, "split_on_turns", "messages", as_json(row.messages), after),)
    return Shortened(tuple(rows), changed, tuple(dropped))


def _runs(
    alone: Sequence[int], tokens: int, limit: int, length_of_run: Callable[[int, int], int]
) -> Iterator[tuple[int, int]]:
    """Runs of exchanges that fit, or a single one that does not. Their lengths are first added up and then checked."""
    shared = max(0.0, (sum(alone) - tokens) / (len(alone) - 1))  # what each exchange has alone and a run has once
    start = 0
    while start < len(alone):
        end, length = start + 1, float(alone[start])
        while end < len(alone) and length + alone[end] - shared <= limit:
            length += alone[end] - shared
            end += 1
        while end - start > 1 and length_of_run(start, end) > limit:
            end -= 1
        yield start, end
        start = end
