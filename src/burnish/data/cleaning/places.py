"""The texts of a row, each with its place in the row's JSON form; putting a text there; taking repairs back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from burnish.core.errors import BurnishError
from burnish.core.records import Changed, Chat, Message, Pair, Prompt, Rated, Row, Text, row_from_json

MASKED = "private_data_masked"  # the one change of which nothing is kept to take it back


def texts_of(row: Row) -> Iterator[tuple[str, str]]:
    """(place, text) of all that a person or a model wrote; the place is such as "messages.1.content"."""
    match row:
        case Chat():
            yield from _texts_of_messages("messages", row.messages)
        case Text():
            yield "text", row.text
        case Pair():
            yield from _texts_of_messages("prompt", row.prompt)
            yield "chosen", row.chosen
            yield "rejected", row.rejected
        case Rated():
            yield from _texts_of_messages("prompt", row.prompt)
            yield "answer", row.answer
        case Prompt():
            yield from _texts_of_messages("prompt", row.prompt)
            yield from strings_in(row.reference, "reference")


def _texts_of_messages(place: str, messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    for number, message in enumerate(messages):
        yield f"{place}.{number}.content", message.content
        for call_number, call in enumerate(message.tool_calls):
            yield f"{place}.{number}.tool_calls.{call_number}.function.arguments", call.arguments


def strings_in(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """All strings inside a JSON value with their places; keys are not texts."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings_in(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from strings_in(inner, f"{place}.{number}" if place else str(number))


def with_texts(row: Row, texts: Mapping[str, str]) -> Row:
    """The row with other texts at some of its places."""
    value = row.to_json()
    for place, text in texts.items():
        value = replaced(value, place, text)
    return row_from_json(value)


def replaced(value: Any, place: str, text: str) -> Any:
    """A JSON value with one string replaced. Raises KeyError, IndexError or ValueError: there is no such place."""
    if not place:
        return text
    if isinstance(value, Mapping):
        # a key may hold a dot itself
        key = max((key for key in value if f"{place}.".startswith(f"{key}.")), key=len, default=None)
        if key is None:
            raise KeyError(place)
        return {**value, key: replaced(value[key], place[len(key) + 1 :], text)}
    number, _, rest = place.partition(".")
    index = int(number)
    return [*value[:index], replaced(value[index], rest, text), *value[index + 1 :]]


def text_at(row: Row, place: str) -> str | None:
    """The text at a place of the row, None where there is none."""
    return dict(texts_of(row)).get(place)


def undo(row: Row, changed: Iterable[Changed]) -> Row:
    """The row as it was before its repairs, which are given in the order in which they were made.

    Raises BurnishError: a text is not the one that the repair left behind, or private data was masked.
    """
    for change in reversed(tuple(changed)):
        if change.reason == MASKED:
            raise BurnishError(
                "A mask cannot be taken back: what it hides was not kept.",
                where=f"{change.source}, {change.path}",
                next_move="read the row in its source",
            )
        if text_at(row, change.path) != change.after:
            raise BurnishError(
                f"The repair {change.reason} cannot be taken back: the row has been changed since.",
                where=f"{change.source}, {change.path}",
                next_move="take later changes back first",
            )
        row = with_texts(row, {change.path: change.before})
    return row
