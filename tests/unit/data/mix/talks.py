"""Conversations for trying, and a length that can be counted by hand: a token for each word, two for each message."""

from __future__ import annotations

import random

from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text


def length_of(row: Row) -> int:
    match row:
        case Text():
            return len(row.text.split())
        case Pair():
            return max(_words(row.answered(said)) for said in (row.chosen, row.rejected))
        case Chat() | Rated():
            return _words(row.messages)
        case Prompt():
            return _words(row.prompt)


def _words(messages: tuple[Message, ...]) -> int:
    return sum(2 + len(message.said.split()) for message in messages)


def words(count: int, name: str = "w") -> str:
    return " ".join(f"{name}{n}" for n in range(count))


def talk(*counts: int, system: int = 0) -> tuple[Message, ...]:
    """User and assistant in turn, each with so many words; every word of a conversation is another."""
    messages = [Message("assistant" if n % 2 else "user", words(count, f"m{n}-")) for n, count in enumerate(counts)]
    return (Message("system", words(system, "s")), *messages) if system else tuple(messages)


def some_talk(chance: random.Random) -> tuple[Message, ...]:
    counts = [chance.randint(1, 60) for _ in range(2 * chance.randint(1, 9))]
    return talk(*counts, system=chance.choice([0, 0, 7]))
