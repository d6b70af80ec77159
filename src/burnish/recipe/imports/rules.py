"""The few kinds of rule of which the tables are made, and the walk over a tool's keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from burnish.recipe.imports.contract import Given, Note, Outcome, Rule
from burnish.recipe.imports.values import is_blank, is_off

AS_HERE = "as Burnish does"
SHELL = re.compile(r"[$`]")


def each(rule: Rule, keys: str) -> dict[str, Rule]:
    """The same rule for all keys of a list separated by blanks."""
    return dict.fromkeys(keys.split(), rule)


def to(target: str, read: Callable[[Any], Any], text: str = "", outcome: Outcome = "translated") -> Rule:
    """The value goes to a recipe key."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        try:
            return [Note(key, value, outcome, text, {target: read(value)})]
        except ValueError as error:
            return [unusable(key, value, error)]

    return rule


def unusable(key: str, value: Any, error: ValueError) -> Note:
    """A value that is not of the kind that the key takes."""
    reason = "an expression of the shell, which is not run" if SHELL.search(str(value)) else str(error)
    return Note(key, value, "missing", f"{reason}: left at Burnish's default")


def ignored(text: str) -> Rule:
    """The key changes nothing that matters here."""
    return lambda key, value, given: [Note(key, value, "ignored", text)]


def missing(text: str, *, blocks: bool = False) -> Rule:
    """Burnish has nothing of the kind."""
    return lambda key, value, given: [Note(key, value, "missing", text, blocks=blocks)]


def off(text: str, outcome: Outcome = "missing", *, blocks: bool = False) -> Rule:
    """Harmless where it is switched off; else as `text` says."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        return [Note(key, value, "ignored", "off") if is_off(value) else Note(key, value, outcome, text, blocks=blocks)]

    return rule


def only(*same: Any, otherwise: str, outcome: Outcome = "missing") -> Rule:
    """Burnish does one thing, written there as one of `same`."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        like = any(is_like(value, one) for one in same)
        return [Note(key, value, "ignored", AS_HERE) if like else Note(key, value, outcome, otherwise)]

    return rule


def is_like(value: Any, other: Any) -> bool:
    """Equal, where a truth value is no number, and case does not matter."""
    if isinstance(value, str) and isinstance(other, str):
        return value.strip().lower() == other.lower()
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def one_of(target: str, settings: Mapping[str, Any], otherwise: str, changed: Mapping[str, str] | None = None) -> Rule:
    """A word of theirs → a word of Burnish; `changed` holds what differs behind some of them."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        name = str(value).strip().lower()
        if name not in settings:
            return [Note(key, value, "missing", otherwise)]
        text = (changed or {}).get(name, "")
        return [Note(key, value, "changed" if text else "translated", text, {target: settings[name]})]

    return rule


def translate(given: Given, table: Mapping[str, Rule], tool: str) -> list[Note]:
    """Notes for all keys, in their order."""
    notes: list[Note] = []
    for key, value in given.values.items():
        if key not in table:
            notes.append(unknown(key, value, table, tool))
        elif is_blank(value):
            notes.append(Note(key, value, "ignored", "left empty"))
        else:
            notes += table[key](key, value, given)
    return notes


def unknown(key: str, value: Any, table: Mapping[str, Rule], tool: str) -> Note:
    """A key that the table does not hold."""
    near = difflib.get_close_matches(key, table, n=1, cutoff=0.75)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return Note(key, value, "unknown", f"not a key of {tool} that Burnish knows{hint}")


def below(prefix: str, notes: list[Note]) -> list[Note]:
    """The notes of an inner mapping, with the path that leads there."""
    return [replace(note, key=f"{prefix}.{note.key}") for note in notes]
