"""Private data of one row: reported, masked, or the reason for which the row is dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from burnish.core.records import Changed, Flagged, Row
from burnish.data.cleaning.outcome import Cleaned, dropped_as
from burnish.data.cleaning.places import MASKED, replaced, strings_in, texts_of, with_texts
from burnish.data.private.find import NameFinder, find
from burnish.data.private.finding import Finding
from burnish.data.private.mask import Placeholders, masked
from burnish.data.private.reasons import MEANINGS
from burnish.data.private.settings import PrivateSettings


def protect(cleaned: Cleaned, settings: PrivateSettings, names: NameFinder | None = None) -> Cleaned:
    """What `clean_row` made of a row, with its private data dealt with.

    No doubt about a row quotes its private data. With `mask` and `drop`, no record holds what was found: the texts that
    earlier repairs kept are masked too, and so is a row that is dropped, for whatever reason.
    """
    if settings.action == "off":
        return cleaned
    if cleaned.dropped and settings.action != "report":
        dropped = cleaned.dropped
        row, detail = (masked_value(value, settings, names) for value in (dropped.row, dropped.detail))
        return replace(cleaned, dropped=replace(dropped, row=row, detail=detail))
    if cleaned.row is None:
        return cleaned
    doubts = tuple(_masked_flag(one, settings, names) for one in cleaned.flagged)
    found = {
        place: (text, findings) for place, text in texts_of(cleaned.row) if (findings := find(text, settings, names))
    }
    if settings.action == "report":
        flagged = tuple(one for place, (_, findings) in found.items() for one in _flags(cleaned.row, place, findings))
        return replace(cleaned, flagged=doubts + flagged)
    placeholders = Placeholders()
    after = {place: _masked_at(place, text, findings, placeholders) for place, (text, findings) in found.items()}
    earlier = tuple(_masked_change(one, settings, names, placeholders) for one in cleaned.changed)
    row = with_texts(cleaned.row, after) if after else cleaned.row
    if settings.action == "drop" and found:
        return dropped_as(row, "private_data", "; ".join(_place(*item) for item in _by_place(found)))
    masks = tuple(Changed(row.source, row.id, MASKED, place, "", text) for place, text in after.items())
    return replace(cleaned, row=row, changed=earlier + masks, flagged=doubts)


def masked_value(value: Any, settings: PrivateSettings, names: NameFinder | None = None) -> Any:
    """Any JSON value with its private data masked, such as a raw row that is dropped before it could be understood.

    A value that is nested too deeply to be looked through is None: what it holds is not known.
    """
    placeholders = Placeholders()
    try:
        for place, text in tuple(strings_in(value)):
            if findings := find(text, settings, names):
                value = replaced(value, place, masked(text, findings, placeholders))
    except RecursionError:
        return None
    return value


def shown(row: Row, settings: PrivateSettings, names: NameFinder | None = None) -> Row:
    """The row as a card or a terminal may show it, whatever is done with its private data."""
    if settings.action == "off":
        return row
    masked = protect(Cleaned(row), settings.model_copy(update={"action": "mask"}), names).row
    assert masked is not None
    return masked


def _masked_flag(flag: Flagged, settings: PrivateSettings, names: NameFinder | None) -> Flagged:
    """Some details quote the row."""
    return replace(flag, detail=masked_value(flag.detail, settings, names))


def _masked_at(place: str, text: str, findings: Sequence[Finding], placeholders: Placeholders) -> str:
    return masked(text, findings, placeholders, json_text=place.endswith(".arguments"))


def _masked_change(
    change: Changed, settings: PrivateSettings, names: NameFinder | None, placeholders: Placeholders
) -> Changed:
    before, after = (
        _masked_at(change.path, text, find(text, settings, names), placeholders)
        for text in (change.before, change.after)
    )
    return replace(change, before=before, after=after)


def _flags(row: Row, place: str, findings: Sequence[Finding]) -> list[Flagged]:
    """One flag for each kind at a place, with where the first stands. Never what it is."""
    first = {one.kind: one for one in reversed(findings)}
    counts = Counter(one.kind for one in findings)
    return [
        Flagged(row.source, row.id, f"private_{kind}", f"{place}, character {one.start + 1}{_more(counts[kind])}")
        for kind, one in sorted(first.items(), key=lambda item: item[1].start)
    ]


def _more(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""


def _by_place(found: Mapping[str, tuple[str, Sequence[Finding]]]) -> list[tuple[str, list[str]]]:
    return [(place, [MEANINGS[one.kind] for one in findings]) for place, (_, findings) in found.items()]


def _place(place: str, meanings: Sequence[str]) -> str:
    return f"{place}: {', '.join(dict.fromkeys(meanings))}"
