"""The verbs that do stages, and how a run ends: verdict, examples, times."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from burnish.cli.errors import printable
from burnish.core.errors import BurnishError, RecipeError
from burnish.core.files import read_json, read_jsonl
from burnish.core.ranks import is_first, own_place, run_ranks
from burnish.core.run_folder import RunFolder
from burnish.recipe.recipe import parse_changes, read_recipe

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One plain line, of the first rank alone."""
    if not is_first():
        return
    console.print(printable(text), markup=False)


def check_seeds(seeds: int, ranks: int) -> None:
    """Raises RecipeError: several trainings are asked for, and several processes for each."""
    if seeds > 1 and (ranks > 1 or own_place() is not None):
        raise RecipeError(
            "`--seeds` trains in one process.",
            seen=f"--seeds {seeds} with several ranks",
            next_move="train once for each `--set train.seed=…`, each with its own --name",
        )


def start_ranks(size: int, upto: str) -> None:
    """With several ranks this process only starts them, with the same command, and ends as they do."""
    if size > 1 and own_place() is None and upto != "prepare":
        raise typer.Exit(run_ranks(size, sys.argv[1:]))


def do(
    upto: str,
    recipe: Path | None,
    model: str | None,
    data: str | None,
    name: str | None,
    changes: list[str] | None,
    fresh: bool,
    out: Path,
    *,
    whole: bool = False,
    seeds: int = 1,
) -> RunFolder:
    """Does the stages up to `upto`. `fresh` does that stage again, or all of them for a `whole` run. With several
    `seeds` the run is trained and evaluated again for each further one.
    """
    path = recipe_file(recipe, out)
    changed: dict[str, Any] = parse_changes(changes or [])
    settings, base = read_recipe(path, model=model, data=data, name=name, changes=changed)
    with loading():
        from burnish.cli.showing import print_row
        from burnish.pipeline.run import run_stages

    quiet_libraries()
    folder = RunFolder(path.parent if path and is_run(path.parent) and name is None else out / str(settings.name))
    say(f"run: {folder.path}")
    run_stages(settings, base, folder, upto=upto, whole=whole, fresh=fresh, say=say,
               show=lambda shop: print_row(shop, console))  # fmt: skip
    if seeds > 1:
        from burnish.pipeline.repeat import repeat

        repeat(settings, base, folder, seeds=seeds, upto=upto, whole=whole, fresh=fresh, say=say)
    if not is_first():
        raise typer.Exit(0)  # the rest is rank 0's
    return folder


@contextmanager
def loading() -> Iterator[None]:
    """For heavy imports: what they make stays to the end, and to look through it for garbage costs a fifth of them."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def recipe_file(recipe: Path | None, out: Path) -> Path | None:
    """The recipe that a path or a run's name means."""
    if recipe is None or recipe.is_file():
        return recipe
    for folder in (recipe, out / recipe):
        if (folder / "recipe.yaml").is_file():
            return folder / "recipe.yaml"
    raise RecipeError(
        "There is no such recipe or run.", seen=str(recipe), next_move="check the path, or `burnish runs`"
    )


def is_run(folder: Path) -> bool:
    return (folder / "recipe.yaml").is_file() and (folder / "stages.json").is_file()


def check_gate(wanted: str | None) -> None:
    """Raises RecipeError before anything is done: the gate is not one that a verdict could meet."""
    if wanted is not None:
        from burnish.evals.verdict import parse_gate

        parse_gate(wanted)


def quiet_libraries() -> None:
    """Burnish reports its own progress; the libraries' bars and notices would only stand between."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)


def finish(folder: RunFolder, gate: str | None) -> None:
    """Prints how it came out. Raises GateError: `--gate` was asked for and is not met."""
    from burnish.evals import verdict

    for row in side_by_side(folder):
        say(row)
    say("\n" + folder.verdict_md.read_text("utf-8").split("\n## ")[0].strip().replace("**", ""))
    times = {name: record["seconds"] for name, record in read_json(folder.stages).items() if record["finished"]}
    say("\ntimes: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items()))
    say(f"report: {folder.report}\nverdict: {folder.verdict_md}\nchat:   burnish chat {folder.path}")
    if gate is not None:
        verdict.gate(verdict.read_verdict(folder), gate)


def side_by_side(folder: RunFolder, examples: int = 3) -> list[str]:
    """A few test rows as each arm answered them, those first on which the arms differ."""
    try:
        items = [item for item in read_jsonl(folder.items) if item["suite"] == "task"]
    except BurnishError:
        return []
    by_id: dict[str, dict[str, dict[str, Any]]] = {}
    for item in items:
        by_id.setdefault(item["id"], {})[item["arm"]] = item
    rows = [arms for arms in by_id.values() if "tuned" in arms and arms["tuned"]["output"]]
    rows.sort(key=lambda arms: len({item["output"] for item in arms.values()}), reverse=True)
    lines = []
    for number, arms in enumerate(rows[:examples], start=1):
        lines.append(f"\nexample {number}: {_short(arms['tuned']['prompt'])}")
        width = max(9, *map(len, arms))
        lines += [f"  {printable(arm):<{width}} {_short(item['output'])}" for arm, item in arms.items()]
        lines.append(f"  {'expected':<{width}} {_short(arms['tuned']['expected'] or '')}")
    return lines


def _short(text: str, width: int = 200) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
