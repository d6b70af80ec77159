"""Chance as a pure function: an order that depends on the seed and on names alone, never on the order of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from burnish.core.errors import DataError
from burnish.core.records import Dropped, Row

Item = TypeVar("Item")


def shuffled(items: Iterable[Item], name_of: Callable[[Item], str], *, seed: int, purpose: str) -> list[Item]:
    """The items ordered by the hash of (seed, purpose, name): the first n are a fair sample of n."""

    def rank(item: Item) -> bytes:
        return hashlib.sha256(f"{seed}:{purpose}:{name_of(item)}".encode()).digest()

    return sorted(items, key=rank)


def choose(
    rows: Sequence[Row], count: int | None, *, seed: int, length_of: Callable[[Row], int], context: int
) -> tuple[list[Row], list[Dropped], dict[str, int]]:
    """All rows that fit the context, or a seeded sample of `count` of them; kept in the file's order.

    Only rows that are looked at are measured; `length_of` raises DataError for one that the chat template refuses.
    Returns kept rows, dropped rows, and id → tokens of the kept ones.
    """
    ranked = rows if count is None else shuffled(rows, lambda row: row.id, seed=seed, purpose="rows")
    tokens_by_id: dict[str, int] = {}
    dropped: list[Dropped] = []
    for row in ranked:
        if len(tokens_by_id) == count:
            dropped.append(Dropped(row.source, "not_sampled"))
            continue
        try:
            tokens = length_of(row)
        except DataError as error:
            why = f"{error.what} {error.seen}".strip()
            dropped.append(Dropped(row.source, "not_renderable", why, row.to_json()))
            continue
        if tokens > context:
            dropped.append(Dropped(row.source, "too_long", f"{tokens} tokens, context {context}", row.to_json()))
        else:
            tokens_by_id[row.id] = tokens
    return [row for row in rows if row.id in tokens_by_id], dropped, tokens_by_id
