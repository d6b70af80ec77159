"""Cleaning of one row: every step that needs no other row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from burnish.core.records import Changed, Chat, Flagged, Pair, Rated, Row
from burnish.data.cleaning.boilerplate import refusal, self_description
from burnish.data.cleaning.controls import without_controls
from burnish.data.cleaning.decomposed import composed
from burnish.data.cleaning.echo import length_of_echo, without_echo
from burnish.data.cleaning.encoding import mended
from burnish.data.cleaning.line_ends import plain_line_ends
from burnish.data.cleaning.outcome import Cleaned, dropped_as
from burnish.data.cleaning.places import texts_of, with_texts
from burnish.data.cleaning.settings import CleanSettings

LOST = "\ufffd"
Repairs: TypeAlias = tuple[tuple[str, str, Callable[[str], str]], ...]  # (action, reason, repair)
Doubts: TypeAlias = list[tuple[str, str, str]]  # (action, reason, detail)


def clean_row(row: Row, settings: CleanSettings) -> Cleaned:
    """The row after its repairs, what was changed and what is doubtful; or the reason for which it is dropped."""
    repairs: Repairs = (
        (settings.encoding, "encoding_damage", mended),
        (settings.line_ends, "line_ends", plain_line_ends),
        (settings.controls, "control_characters", without_controls),
        (settings.decomposed, "decomposed_letters", composed),
    )
    changed: list[Changed] = []
    doubts: Doubts = []
    texts: dict[str, str] = {}
    for place, text in texts_of(row):
        for action, reason, repair in repairs:
            if action == "off" or (after := repair(text)) == text:
                continue
            if action != "repair":
                doubts.append((action, reason, f"{place}, {_first_difference(text, after)}"))
                continue
            changed.append(Changed(row.source, row.id, reason, place, text, after))
            texts[place] = text = after
    if any(not text.strip() for text in texts.values()):
        return dropped_as(row, "nothing_left", ", ".join(place for place, text in texts.items() if not text.strip()))
    repaired = with_texts(row, texts) if texts else row
    if settings.echo == "repair":
        repaired, cut = _without_echoes(repaired)
        changed += cut
    doubts += _doubts(repaired, settings)
    fatal = next((doubt for doubt in doubts if doubt[0] == "drop"), None)
    if fatal:
        return dropped_as(row, fatal[1], fatal[2])
    flagged = tuple(Flagged(row.source, row.id, reason, detail) for _, reason, detail in doubts)
    return Cleaned(repaired, tuple(changed), flagged)


def _first_difference(before: str, after: str) -> str:
    pairs = enumerate(zip(before, after, strict=False))
    place = next((number for number, (one, other) in pairs if one != other), len(after))
    return f"character {place + 1}"


def _doubts(row: Row, settings: CleanSettings) -> Doubts:
    """What is doubtful about a repaired row."""
    doubts: Doubts = []
    if settings.lost_characters != "off":
        doubts += [
            (settings.lost_characters, "lost_characters", f"{place}, character {text.index(LOST) + 1}")
            for place, text in texts_of(row)
            if LOST in text
        ]
    for place, asked, answer in _answers(row):
        if settings.boilerplate != "off" and (words := self_description(answer)):
            doubts.append((settings.boilerplate, "boilerplate_answer", f"{place}: {words}"))
        if settings.refusal != "off" and (words := refusal(answer)):
            doubts.append((settings.refusal, "refusal", f"{place}: {words}"))
        if settings.echo in ("flag", "drop") and (length := length_of_echo(asked, answer)):
            doubts.append((settings.echo, "echoed_prompt", f"{place}, {length} of {len(answer)} characters"))
    return doubts


def _answers(row: Row) -> Iterator[tuple[str, str, str]]:
    """(place, what was asked, answer) of every answer that is learnt as a good one."""
    match row:
        case Chat():
            for number, message in enumerate(row.messages):
                if number and message.role == "assistant" and message.trained:
                    yield f"messages.{number}.content", row.messages[number - 1].content, message.content
        case Pair():
            yield "chosen", row.prompt[-1].content, row.chosen
        case Rated() if row.score is not False:
            yield "answer", row.prompt[-1].content, row.answer


def _without_echoes(row: Row) -> tuple[Row, list[Changed]]:
    cut = [
        Changed(row.source, row.id, "echoed_prompt", place, answer, after)
        for place, asked, answer in _answers(row)
        if (after := without_echo(asked, answer)) != answer
    ]
    return (with_texts(row, {one.path: one.after for one in cut}) if cut else row), cut
