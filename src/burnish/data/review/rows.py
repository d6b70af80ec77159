"""One row as the page shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text
from burnish.data.private.reasons import MEANINGS
from burnish.data.review.words import Hide, as_it_is, shown, visible

Placed: TypeAlias = tuple[str, str, str, bool]  # place in the row's JSON form, role, text, learnt

LONGEST_TEXT = 1_500  # characters of a turn
LONGEST_NOTE = 300
FIRST_TURNS, LAST_TURNS = 3, 7  # of a longer conversation


@dataclass(frozen=True)
class Turn:
    """One text of a row; `learnt` says that a model is trained to write it."""

    role: str
    text: str
    learnt: bool = False


@dataclass(frozen=True)
class RowView:
    """A row with its name, its place, why there is a doubt about it, and its texts."""

    name: str
    part: str
    source: str
    badges: tuple[str, ...]
    note: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Doubts:
    """What flagged.jsonl says, by the id of the row: reasons, and (place, kind) of private data."""

    reasons: dict[str, tuple[str, ...]] = field(default_factory=dict)
    private: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def add(self, event: Mapping[str, Any]) -> None:
        """Notes one record."""
        row_id, reason = str(event.get("id", "")), visible(str(event["reason"]))
        known = self.reasons.get(row_id, ())
        if reason not in known:
            self.reasons[row_id] = (*known, reason)
        kind = reason.removeprefix("private_")
        if kind != reason and kind in MEANINGS:
            place = str(event.get("detail", "")).partition(",")[0]
            self.private[row_id] = (*self.private.get(row_id, ()), (place, kind))


def row_view(row: Row, part: str, doubts: Doubts, hide: Hide, note: str = "") -> RowView:
    """The row without private data, cut where it is long."""
    found = doubts.private.get(row.id, ())
    turns = [
        Turn(role, _text(place, text, found, hide), learnt)
        for place, role, text, learnt in _shortened(list(texts(row)))
    ]
    return RowView(
        name=f"#{shown(row.id, as_it_is, 80)}",
        part=part,
        source=shown(row.source, hide, LONGEST_NOTE),
        badges=doubts.reasons.get(row.id, ()),
        note=shown(note, hide, LONGEST_NOTE),
        turns=tuple(turns),
    )


def texts(row: Row) -> Iterator[Placed]:
    """What is written in a row, in the order of reading."""
    match row:
        case Chat():
            yield from _messages("messages", row.messages, learnt=True)
        case Text():
            yield "text", "text", row.text, True
        case Pair():
            yield from _messages("prompt", row.prompt)
            yield "chosen", "chosen", row.chosen, True
            yield "rejected", "rejected", row.rejected, False
        case Rated():
            yield from _messages("prompt", row.prompt)
            rating = {True: "good", False: "bad"}[row.score] if isinstance(row.score, bool) else f"{row.score:g}"
            yield "answer", f"answer, rated {rating}", row.answer, True
        case Prompt():
            yield from _messages("prompt", row.prompt)
            yield "reference", "graded by", json.dumps(dict(row.reference), ensure_ascii=False), False


def _messages(place: str, messages: Sequence[Message], *, learnt: bool = False) -> Iterator[Placed]:
    for number, message in enumerate(messages):
        answers = learnt and message.role == "assistant" and message.trained
        yield f"{place}.{number}", message.role, message.said, answers


def _shortened(turns: list[Placed]) -> list[Placed]:
    left_out = len(turns) - FIRST_TURNS - LAST_TURNS
    if left_out < 2:
        return turns
    return [*turns[:FIRST_TURNS], ("", "…", f"{left_out} turns are not shown", False), *turns[-LAST_TURNS:]]


def _text(place: str, text: str, found: Sequence[tuple[str, str]], hide: Hide) -> str:
    """The text; nothing of it where private data was found that cannot be found again, so that none is shown."""
    return not_found_again(place, text, found, hide) or shown(text, hide, LONGEST_TEXT)


def not_found_again(place: str, text: str, found: Sequence[tuple[str, str]], hide: Hide) -> str:
    """What stands instead of a text in which `hide` misses something that was found; "" where it misses nothing."""
    here = {kind for where, kind in found if f"{where}.".startswith(f"{place}.")}
    hidden = hide(text) if here else ""
    lost = sorted(kind for kind in here if f"[{kind.upper()}_" not in hidden)
    return f"(not shown: it holds {', '.join(MEANINGS[kind] for kind in lost)})" if lost else ""
