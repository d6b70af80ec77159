"""Private data in a text. Cheap looks first: an ordinary text has no @, few digits and no word such as password."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from burnish.data.private.addresses import emails, internet_addresses
from burnish.data.private.finding import Finding, without_overlaps
from burnish.data.private.keys import keys
from burnish.data.private.national import national_ids
from burnish.data.private.numbers import cards, ibans
from burnish.data.private.passwords import passwords
from burnish.data.private.phones import phones
from burnish.data.private.settings import PrivateSettings

NameFinder: TypeAlias = Callable[[str], Sequence[Finding]]
# All numbers looked for have six digits in a row, but for a space, dot or dash between two of them, or mix digits and
# letters as two forms of national numbers do. Only what is around them is looked at closely.
_NUMBER = re.compile(r"\d(?:(?:[ .\-\u00a0]?\d){5,}|\d{3}[A-Z]\b|\d[A-Za-z]\d\d)")
MARGIN = 24  # characters: +49 (0) before the digits, letters after them


def find(text: str, settings: PrivateSettings, names: NameFinder | None = None) -> list[Finding]:
    """What is private in the text, by place; no two overlap. `names` finds persons, where kinds ask for it."""
    return without_overlaps(_found(text, settings.kinds, settings.regions, names))


def _found(text: str, kinds: Collection[str], regions: Sequence[str], names: NameFinder | None) -> Iterator[Finding]:
    if "email" in kinds:
        yield from emails(text)
    if "ip" in kinds:
        yield from internet_addresses(text)
    if "key" in kinds or "password" in kinds:
        yield from (one for one in (*keys(text), *passwords(text)) if one.kind in kinds)
    for begin, end in _windows(text):
        if "card" in kinds:
            yield from cards(text, begin, end)
        if "iban" in kinds:
            yield from ibans(text, begin, end)
        if "national_id" in kinds:
            yield from national_ids(text, begin, end)
        if "phone" in kinds:
            yield from phones(text, begin, end, regions)
    if names and "name" in kinds:
        yield from names(text)


def _windows(text: str) -> list[tuple[int, int]]:
    """Where numbers are, with some room around them; windows that touch are one."""
    windows: list[tuple[int, int]] = []
    for match in _NUMBER.finditer(text):
        begin, end = max(0, match.start() - MARGIN), min(len(text), match.end() + MARGIN)
        if windows and begin <= windows[-1][1]:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((begin, end))
    return windows
