"""A long text as several, cut where a paragraph ends, or else a line, or else a word."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from dataclasses import replace

from burnish.core.records import Changed, Text
from burnish.data.mix.fitting import LengthOf, Shortened, left_out, most_that_fits

# Words as far as a cut is concerned: what is longer (a script without spaces, a row of digits) may be cut inside.
WORD = re.compile(r"\S{1,24}")
PARAGRAPH, LINE = re.compile(r"\n\s*\n"), re.compile(r"\n")


def split_on_paragraphs(row: Text, tokens: int, limit: int, length_of: LengthOf) -> Shortened:
    """The text as several, all but the last at least half as long as fits. Only blank space in between is left out."""
    found = _passages(row, tokens, limit, length_of)
    if not found:
        return Shortened((), dropped=(left_out(row, tokens, limit),))
    rows = tuple(replace(row, id=f"{row.id}.{n}", text=text) for n, text in enumerate(found, 1))
    after = json.dumps([one.id for one in rows])
    return Shortened(rows, (Changed(row.source, rows[0].id, "split_on_paragraphs", "text", row.text, after),))


def _passages(row: Text, tokens: int, limit: int, length_of: LengthOf) -> list[str]:
    """The passages in order; none where not even a word fits."""
    text = row.text
    starts_W = [match.start() for match in WORD.finditer(text)] + [len(text)]
    borders = [[match.end() for match in pattern.finditer(text)] for pattern in (PARAGRAPH, LINE)]
    found: list[str] = []
    first, last, end = 0, len(starts_W) - 1, 0
    while first < last:
        begin = max(end, text.rfind("\n", 0, starts_W[first]) + 1)  # with the indentation of its first line

        def length_at(word: int, begin: int = begin) -> int:
            return length_of(replace(row, text=text[begin : starts_W[word]].rstrip()))

        left = tokens * (len(text) - begin) // len(text)  # as many tokens a character as in the whole
        if left <= limit + limit // 4 and length_at(last) <= limit:
            return [*found, text[begin:].rstrip()]
        word = most_that_fits(first + 1, last, limit, length_at, max(left, limit + 1))
        if word is None:
            return []
        end = _border(borders, (begin + starts_W[word]) // 2, starts_W[word])
        found.append(text[begin:end].rstrip())
        first = bisect_left(starts_W, end)
    return found


def _border(borders: list[list[int]], low: int, high: int) -> int:
    """The last end of a paragraph above `low` and up to `high`; without one that of a line; without one `high`."""
    for ends in borders:
        at = bisect_right(ends, high) - 1
        if at >= 0 and ends[at] > low:
            return ends[at]
    return high
