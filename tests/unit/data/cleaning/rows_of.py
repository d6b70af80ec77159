"""Small sets for the tests of decisions about a whole set."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.core.records import Chat, Message, Row
from burnish.data.cleaning.features import Features, feature_of, table
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.group import prompt_keys


def chat(prompt: str, answer: str, number: int = 0) -> Chat:
    return Chat(str(number), (Message("user", prompt), Message("assistant", answer)), f"rows.jsonl:{number + 1}")


def chats(pairs: Sequence[tuple[str, str]]) -> list[Row]:
    return [chat(prompt, answer, number) for number, (prompt, answer) in enumerate(pairs)]


def features_of(rows: Sequence[Row], settings: CleanSettings | None = None) -> Features:
    settings = settings or CleanSettings()
    return table(feature_of(row, prompt_keys(row)[-1], settings) for row in rows)
