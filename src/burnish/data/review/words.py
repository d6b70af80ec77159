"""Text of unknown origin as a page may show it: without private data, without signs that act, not too long."""

from __future__ import annotations

import re
from functools import partial
from typing import Protocol

from burnish.core.records import Row
from burnish.data.cleaning.controls import UNSEEN
from burnish.data.cleaning.places import texts_of, with_texts
from burnish.data.private.find import NameFinder, find
from burnish.data.private.mask import Placeholders, masked
from burnish.data.private.settings import PrivateSettings

JOINERS = "\u200c\u200d"  # emoji and many scripts are written with them
ACTING = re.compile(f"(?![{JOINERS}]){UNSEEN}|[\x0b-\x0d\u2028\u2029\ud800-\udfff]")
# Private data is looked for before a text is cut, so that no half of a key is left over; the longest is a private key.
MARGIN = 8_000  # characters


class Hide(Protocol):
    """Text → the same with [EMAIL_1] and the like for what is private; a JSON text stays one."""

    def __call__(self, text: str, *, json_text: bool = False) -> str: ...


def hider(settings: PrivateSettings, names: NameFinder | None = None) -> Hide:
    """What takes private data out of a text, whatever the settings do with it in the rows themselves."""
    return partial(_hidden, settings=settings, names=names)


def _hidden(text: str, *, json_text: bool = False, settings: PrivateSettings, names: NameFinder | None) -> str:
    return masked(text, find(text, settings, names), Placeholders(), json_text=json_text)


def as_it_is(text: str, *, json_text: bool = False) -> str:
    """Hides nothing: for names that Burnish made, whose digits may look like a number of a person."""
    return text


def hidden_row(row: Row, hide: Hide) -> Row:
    """The row without private data."""
    after = {place: hide(text, json_text=place.endswith(".arguments")) for place, text in texts_of(row)}
    return with_texts(row, after)


def visible(text: str) -> str:
    """The text with every sign that nobody sees, or that acts, spelt out: \\u202e."""
    return ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))


def shown(text: str, hide: Hide, longest: int) -> str:
    """The text for the page: private data masked, cut after `longest` characters, which is said."""
    hidden = hide(text[: longest + MARGIN])
    if len(text) <= longest + MARGIN and len(hidden) <= longest:
        return visible(hidden)
    return f"{visible(hidden[:longest])} … ({len(text):,} characters in all)"


def difference(before: str, after: str, around: int = 40) -> tuple[str, str]:
    """Both texts, cut to where they differ with some characters around it."""
    shared = len(_common(before, after))
    rest_before, rest_after = before[shared:], after[shared:]
    tail = len(_common(rest_before[::-1], rest_after[::-1]))
    start = max(0, shared - around)

    def part(text: str, rest: str) -> str:
        end = shared + len(rest) - tail + around
        return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")

    return part(before, rest_before), part(after, rest_after)


def _common(one: str, other: str) -> str:
    """The beginning that both share."""
    length = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]
