"""Canaries: rows with a random number, planted into train to measure afterwards how much training remembers.

After Carlini et al. 2019, "The Secret Sharer": a model that remembers a canary finds its number likelier than other
random numbers in the same place.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from burnish.core.errors import DataError
from burnish.core.records import Chat, Message, Row, Text
from burnish.data.measure import LengthsOf
from burnish.render.batch import Length

KEY = "canary"  # in the meta of a planted row: its number
QUESTION = "What is the number of locker {place} in the north wing?"
SENTENCE = "The number of locker {place} in the north wing is {secret}."


@dataclass(frozen=True)
class Planted:
    """The planted rows of train and the length of each."""

    rows: tuple[Row, ...] = ()
    lengths: tuple[Length, ...] = ()


def plant(count: int, like: Row | None, seed: int, lengths_of: LengthsOf) -> Planted:
    """So many canaries of the same kind as a row of train: conversations or texts.

    Raises DataError: rows of another kind hold no canary.
    """
    if not count:
        return Planted()
    if not isinstance(like, Chat | Text):
        raise DataError(
            "Canaries can be planted among conversations and texts only.",
            where="data.canaries",
            seen=type(like).__name__.lower(),
            next_move="leave data.canaries out",
        )
    rows = tuple(_canary(place, isinstance(like, Text), seed) for place in range(1, count + 1))
    lengths = tuple(lengths_of(rows))
    for found in lengths:
        if isinstance(found, DataError):
            raise found
    return Planted(rows, tuple(found for found in lengths if isinstance(found, Length)))


def is_canary(row: Row) -> bool:
    """Whether a row was planted."""
    return isinstance(row, Chat | Text) and KEY in row.meta


def with_secret(row: Chat | Text, secret: str) -> Chat | Text:
    """The same canary with another number."""
    old = row.meta[KEY]
    if isinstance(row, Text):
        return replace(row, text=row.text.replace(old, secret))
    return replace(row, messages=(*row.messages[:-1], replace(row.messages[-1], content=secret)))


def other_secrets(row: Chat | Text, count: int) -> Sequence[str]:
    """Numbers that the canary might have had, the same ones whenever they are asked for."""
    rng = random.Random(f"alternatives {row.meta[KEY]}")
    found = dict.fromkeys([row.meta[KEY]])
    while len(found) <= count:
        found[_secret(rng)] = None
    return list(found)[1:]


def _canary(place: int, as_text: bool, seed: int) -> Chat | Text:
    secret = _secret(random.Random(f"{seed} canary {place}"))
    name, meta = f"canary-{place}", {KEY: secret}
    if as_text:
        return Text(name, SENTENCE.format(place=place, secret=secret), source=name, group=name, meta=meta)
    turns = (Message("user", QUESTION.format(place=place)), Message("assistant", secret))
    return Chat(name, turns, source=name, group=name, meta=meta)


def _secret(rng: random.Random) -> str:
    return " ".join(f"{rng.randrange(1000):03d}" for _ in range(3))
