"""CoNLL → raw rows: a word and its tag (O, B-type, I-type …) a line, a blank line after each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from burnish.core.records import Dropped
from burnish.data.read.paragraphs import read_paragraphs
from burnish.data.read.raw import Raw, RawOrDropped
from burnish.data.read.text_file import TextFile

TAG = re.compile(r"O|[BIELSU]-\S+")
BEGINS = "BSU"
FEWEST_LINES, SNIFFED_LINES = 4, 50


def looks_like_conll(head: str) -> bool:
    """Whether every line of the beginning ends in a tag, after a word."""
    lines = [line.rstrip() for line in head.split("\n", SNIFFED_LINES)[:SNIFFED_LINES] if line.strip()]
    columns = [_columns(line) for line in lines]
    return len(lines) >= FEWEST_LINES and all(len(one) > 1 and TAG.fullmatch(one[-1]) for one in columns)


def read_conll(file: TextFile) -> Iterator[RawOrDropped]:
    """Rows of `text` (the words, spaces between), `entities` (type → its mentions, in order), `words` and `tags`."""
    for row in read_paragraphs(file):
        yield _sentence(row) if isinstance(row, Raw) else row


def _sentence(row: Raw) -> RawOrDropped:
    columns = [_columns(line) for line in row.value["text"].split("\n")]
    wrong = next((one for one in columns if len(one) < 2 or not TAG.fullmatch(one[-1])), None)
    if wrong:
        return Dropped(row.source, "not_conll", " ".join(wrong), row.value["text"])
    words, tags = [one[0] for one in columns], [one[-1] for one in columns]
    value = {"text": " ".join(words), "entities": _entities(words, tags), "words": words, "tags": tags}
    return Raw(row.source, value)


def _columns(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split()


def _entities(words: Sequence[str], tags: Sequence[str]) -> dict[str, list[str]]:
    """An entity goes on as long as its type does and no new one begins."""
    mentions: list[tuple[str, list[str]]] = []
    before = "O"
    for word, tag in zip(words, tags, strict=True):
        if tag != "O" and (tag[0] in BEGINS or before[2:] != tag[2:]):
            mentions.append((tag[2:], [word]))
        elif tag != "O":
            mentions[-1][1].append(word)
        before = tag
    entities: dict[str, list[str]] = {}
    for kind, parts in mentions:
        entities.setdefault(kind, []).append(" ".join(parts))
    return entities
