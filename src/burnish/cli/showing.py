"""`burnish show`, and the one row that every run shows."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from burnish.cli.errors import printable
from burnish.core.records import Pair, Row
from burnish.core.run_folder import RunFolder
from burnish.data.look import row_at
from burnish.data.rows import read_rows
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import read_recipe
from burnish.render.show import LEGEND, coloured, summary


def show_row(file: Path, number: int, model: str | None) -> None:
    """Prints row `number` of a data file, or of a recipe's training file, as the model reads it."""
    if file.suffix in (".yaml", ".yml"):
        recipe, base = read_recipe(file, model=model)
    else:
        recipe, base = read_recipe(None, model=model or "smollm2-135m", data=str(file))
    row = row_at(number, recipe.data, base=base, say=lambda text: print(printable(text)))
    print_rendered(Workshop(recipe, base, RunFolder(Path())), row, Console(highlight=False))


def print_row(shop: Workshop, console: Console) -> None:
    """The first row of the training part."""
    print_rendered(shop, read_rows(shop.run.train)[0], console)


def print_rendered(shop: Workshop, row: Row, console: Console) -> None:
    """One row in colour, its place, and what the colours mean; of a pair the chosen answer, then the rejected one."""
    if isinstance(row, Pair):
        pair = shop.renderer.pair(row)
        parts = {", chosen": pair.chosen, ", rejected": pair.rejected}
    else:
        parts = {"": shop.renderer.row(row)}
    for name, rendered in parts.items():
        console.print(coloured(shop.renderer, rendered))
        console.print(f"{printable(row.source)}{name}: {summary(rendered)}   ({LEGEND})", markup=False)
