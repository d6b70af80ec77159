"""What a test states about one file: the recipe, and the keys in each list that matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.recipe.imports.contract import Imported, Outcome
from burnish.recipe.imports.read import import_files
from burnish.recipe.imports.write import recipe_text

FILES = Path(__file__).parent / "files"
DEVICES = "devices that share a batch"


@dataclass(frozen=True)
class Case:
    """`translated` and `ignored` are left to the property that every key is in exactly one list."""

    recipe: dict[str, Any]
    changed: str = ""
    missing: str = ""
    added: tuple[str, ...] = (DEVICES,)
    unknown: str = ""
    blocked: str = ""


def keys(done: Imported, outcome: Outcome) -> set[str]:
    return {note.key for note in done.notes if note.outcome == outcome}


def check(file: str, case: Case) -> None:
    """The file becomes exactly this."""
    done = import_files([FILES / file])
    assert done.recipe == case.recipe
    assert keys(done, "changed") == set(case.changed.split())
    assert keys(done, "missing") == set(case.missing.split())
    assert keys(done, "added") == set(case.added)
    assert keys(done, "unknown") == set(case.unknown.split())
    assert case.blocked in done.blocked
    assert bool(done.blocked) == bool(case.blocked)
    if not done.blocked:
        recipe_text(done, file)


def leaves(values: Any, path: str = "") -> Iterator[str]:
    """The paths of all values that are neither a mapping nor a list of mappings."""
    inner: Iterator[tuple[str, Any]] | None = None
    if isinstance(values, Mapping) and (values or not path):
        inner = ((str(key), value) for key, value in values.items())
    elif isinstance(values, list) and values and all(isinstance(one, Mapping) for one in values):
        inner = ((str(number), value) for number, value in enumerate(values))
    if inner is None:
        yield path
        return
    for key, value in inner:
        yield from leaves(value, f"{path}.{key}".lstrip("."))


def assert_each_in_one_list(values: Mapping[str, Any], done: Imported) -> None:
    """Every value of the input stands under exactly one note, its own or that of a key above it."""
    said = [note.key for note in done.notes if note.outcome != "added"]
    for leaf in leaves(values):
        over = [key for key in said if leaf == key or leaf.startswith(f"{key}.")]
        assert len(over) == 1, f"{leaf}: {over}"
