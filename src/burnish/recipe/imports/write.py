"""An import as text: the recipe with the origin of each line, and the lists of what became of the keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from burnish.core.settings import Document, build, parse_yaml
from burnish.recipe.imports.contract import TITLES, Imported, Note, Outcome
from burnish.recipe.recipe import Recipe, expand

NO_SECRET = ("eos_token", "bos_token", "pad_token", "unk_token", "stop_token")
SECRET = re.compile(r"(?:^|[_\W])(?:\w*_)?(?:token|key|secret|password|webhook_url)$", re.IGNORECASE)
ASSIGNED = re.compile(r"\b(\w*(?:token|key|secret|password)\w*)(=|\s+)(\S+)", re.IGNORECASE)
WIDEST = 60


def recipe_text(done: Imported, name: str) -> str:
    """The recipe as YAML; beside each line the keys that it comes from. What is written has been read back and checked.

    Raises RecipeError: it is not a recipe, which would be a fault of the import.
    """
    lines = [f"# From {_plain(name)} ({done.tool}) by `burnish import`."]
    for group, value in done.recipe.items():
        if isinstance(value, dict):
            lines += [f"{group}:", *_lines(value, group, done.notes, 1)]
        else:
            lines += _lines({group: value}, "", done.notes, 0)
    text = "\n".join(lines) + "\n"
    read_back = parse_yaml(text, name)
    build(Recipe, expand(Document(read_back.values, read_back.lines, f"the recipe made from {name}")))
    return text


def _lines(values: Mapping[str, Any], group: str, notes: Sequence[Note], depth: int) -> list[str]:
    lines = []
    for key, value in values.items():
        path = f"{group}.{key}".lstrip(".")
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}{key}:", *_lines(value, path, notes, depth + 1)]
            continue
        origins = ", ".join(_plain(note.key) for note in notes if path in note.sets)
        lines.append("  " * depth + f"{key}: {_scalar(value)}" + (f"  # {origins}" if origins else ""))
    return lines


def _scalar(value: Any) -> str:
    """A value on one line: lists in brackets, texts with line breaks in quotes."""
    style = '"' if isinstance(value, str) and not value.isprintable() else None
    written = yaml.safe_dump(value, default_flow_style=True, default_style=style, allow_unicode=True, width=2**31)
    return written.removesuffix("...\n").strip()


def lists(done: Imported) -> dict[Outcome, list[Note]]:
    """The notes by what became of the keys; lists without any are left out."""
    found = {outcome: [note for note in done.notes if note.outcome == outcome] for outcome in TITLES}
    return {outcome: notes for outcome, notes in found.items() if notes}


def report_text(done: Imported, name: str) -> str:
    """The lists, for a terminal."""
    lines = [f"{_plain(name)}: settings of {done.tool}, {summary(done)}"]
    for outcome, notes in lists(done).items():
        lines += ["", f"{TITLES[outcome]}:"]
        lines += [f"  {_plain(note.key)}: {shown(note)}{_arrow(note)}{_after(note)}" for note in notes]
    return "\n".join(lines) + "\n"


def report_markdown(done: Imported, name: str) -> str:
    """The lists as a page."""
    lines = [f"# {_cell(name)}, imported from {done.tool}", "", summary(done) + "."]
    if done.blocked:
        lines += ["", f"No recipe: {_cell(done.blocked)}."]
    for outcome, notes in lists(done).items():
        lines += ["", f"## {TITLES[outcome].capitalize()}", "", "| key | value | recipe | note |", "|---|---|---|---|"]
        for note in notes:
            targets = "<br>".join(f"`{target}: {_cell(_json(value))}`" for target, value in note.sets.items())
            lines.append(f"| `{_cell(note.key)}` | {_cell(shown(note))} | {targets} | {_cell(note.text)} |")
    return "\n".join(lines) + "\n"


def summary(done: Imported) -> str:
    """How many keys went which way."""
    return ", ".join(
        f"{len(notes)} {TITLES[outcome].split(',')[0].split(':')[0]}" for outcome, notes in lists(done).items()
    )


def shown(note: Note) -> str:
    """A value in short; never one that may be a secret."""
    name = note.key.rsplit(".", 1)[-1]
    text = _plain(_json(masked(note.value, name)))
    if note.key.startswith("line "):  # of a script
        text = ASSIGNED.sub(r"\1\2(hidden)", text)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def masked(value: Any, name: str) -> Any:
    """The value without texts whose names say that they are secrets, at any depth."""
    if isinstance(value, dict):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, name) for inner in value]
    secret = SECRET.search(name) and not name.lower().lstrip("-").endswith(NO_SECRET)
    return "(hidden)" if secret and isinstance(value, str) and value else value


def _arrow(note: Note) -> str:
    written = ", ".join(f"{target}: {_plain(_json(value))}" for target, value in note.sets.items())
    return f" → {written}" if written else ""


def _after(note: Note) -> str:
    return f"  ({_plain(note.text)})" if note.text else ""


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _plain(text: str) -> str:
    """One line without control characters, whatever a file held."""
    return "".join(c if c.isprintable() else "\\n" if c == "\n" else f"\\x{ord(c):02x}" for c in text)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
