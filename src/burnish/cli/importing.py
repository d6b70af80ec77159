"""`burnish import`: settings of another tool become a recipe, and a list of what could not."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from burnish.cli.errors import printable
from burnish.core.errors import RecipeError
from burnish.core.files import write_text
from burnish.recipe.imports.contract import Imported
from burnish.recipe.imports.read import import_files
from burnish.recipe.imports.write import recipe_text, report_markdown, report_text

PARTS = ("data.train", "data.test", "data.dev")


def import_settings(
    files: list[Path],
    tool: str | None,
    out: Path | None,
    report: Path | None,
    devices: int | None,
    model: str | None,
    data: str | None,
) -> None:
    """Prints the lists to stderr and the recipe to stdout, or writes it.

    Raises RecipeError (exit 2), after the lists: what the settings train for cannot be expressed, or there is a file
    already where one would be written.
    """
    for path in (out, report):
        if path is not None and path.exists():
            raise RecipeError("There is a file already.", where=str(path), next_move="name another, or remove this one")
    done = import_files(files, tool=tool, devices=devices, model=model, data=data)
    done = seen_from(done, out.parent) if out is not None else done
    name = files[0].name
    sys.stderr.write(printable(report_text(done, name)))
    if report is not None:
        write_text(report, report_markdown(done, name))
    if done.blocked:
        raise RecipeError("These settings make no recipe.", where=str(files[0]), seen=done.blocked)
    text = recipe_text(done, name)
    if out is None:
        sys.stdout.write(text)
        return
    write_text(out, text)
    sys.stderr.write(f"\nrecipe: {printable(str(out))}\n")


def seen_from(done: Imported, folder: Path) -> Imported:
    """The same import with relative paths as they are seen from the recipe's folder, where a recipe looks."""
    steps = os.path.relpath(Path.cwd(), folder.absolute())
    if steps == ".":
        return done
    notes = tuple(
        replace(note, sets={target: moved(value, steps) if target in PARTS else value
                            for target, value in note.sets.items()})
        for note in done.notes
    )  # fmt: skip
    recipe = {key: dict(value) if isinstance(value, dict) else value for key, value in done.recipe.items()}
    inner: dict[str, Any] = recipe.get("data", {})
    inner |= {part: moved(inner[part], steps) for part in ("train", "test", "dev") if part in inner}
    model: dict[str, Any] = recipe.get("model", {})
    if Path(str(model.get("name"))).exists():
        model["name"] = moved(model["name"], steps)
    return replace(done, recipe=recipe, notes=notes)


def moved(value: Any, steps: str) -> Any:
    """A relative path, or a list of them, with the way to where it starts put before it."""
    if isinstance(value, list):
        return [moved(one, steps) for one in value]
    fixed = "://" in value or Path(value).is_absolute() or value.startswith("~")
    return value if fixed else os.path.normpath(Path(steps) / value)
