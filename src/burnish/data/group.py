"""Rows that ask the same form a group, and a group never stands on two sides of a split."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from burnish.core.records import Chat, Message, Row, Text

GROUP_DIGITS = 12
ANSWER = Message("assistant", "")
# Punctuation says little in prose and everything in sums: signs of arithmetic and marks inside numbers stay.
FOLDED = re.compile(r"(?:[^\w*/%&#@+=<>^|~$€£.,:\-−]|[.,:\-−](?!\d))+")


def normalised(text: str) -> str:
    """The text without differences of case, width, spacing and punctuation (Unicode NFKC, case folding)."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return FOLDED.sub(" ", plain).strip() or plain.strip()


def prompt_keys(row: Row) -> tuple[str, ...]:
    """One key for each prompt that the row teaches an answer to; the last is that of its final answer.

    Training on a conversation teaches every answer in it, so a row that asks what an earlier turn asks is a duplicate.
    A preference, a rated answer and a prompt alone teach about their last answer.
    """
    if isinstance(row, Text):
        return (_digest("", normalised(row.text)),)
    messages = row.messages if isinstance(row, Chat) else (*row.prompt, ANSWER)
    keys, key = [], ""
    for message, following in pairwise(messages):
        key = _digest(key, f"{message.role} {normalised(message.said)}")
        if following.role == "assistant":
            keys.append(key)
    return tuple(keys if isinstance(row, Chat) else keys[-1:])


def _digest(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def with_groups(rows: Sequence[Row], part: str) -> list[Row]:
    """The rows with `group` set: a name made of the prompts and of `part`, so files of the user's own share none."""
    keys_of_rows = [prompt_keys(row) for row in rows]
    asked = {keys[-1] for keys in keys_of_rows}
    parent = {key: key for key in asked}
    for keys in keys_of_rows:
        for key in asked.intersection(keys):
            _join(parent, key, keys[-1])
    names = {key: _digest(part, _root(parent, key))[:GROUP_DIGITS] for key in asked}
    return [replace(row, group=names[keys[-1]]) for row, keys in zip(rows, keys_of_rows, strict=True)]


def _root(parent: dict[str, str], key: str) -> str:
    while parent[key] != key:
        parent[key] = parent[parent[key]]
        key = parent[key]
    return key


def _join(parent: dict[str, str], one: str, other: str) -> None:
    """Joins two clusters under the smaller key, so that a cluster's name does not depend on the order of rows."""
    low, high = sorted((_root(parent, one), _root(parent, other)))
    parent[high] = low


def by_group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Group → its rows."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    return dict(groups)


def asked_keys(rows: Iterable[Row]) -> frozenset[str]:
    """The keys of the prompts that these rows are tested with."""
    return frozenset(prompt_keys(row)[-1] for row in rows)


def prompts_with_several_answers(rows: Iterable[Row]) -> int:
    """How many prompts stand with more than one answer: harmless where many are right, noise where one is."""
    answers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if isinstance(row, Chat):
            answers[prompt_keys(row)[-1]].add(row.answer.strip())
    return sum(len(found) > 1 for found in answers.values())
