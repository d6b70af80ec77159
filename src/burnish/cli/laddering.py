"""`burnish ladder`: guards against forgetting tried on the user's data, and which of them to take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burnish.cli.runs import loading, quiet_libraries, recipe_file, say
from burnish.recipe.recipe import Recipe, parse_changes, read_recipe


def climb_ladder(
    recipe: Path | None,
    model: str | None,
    data: str | None,
    name: str | None,
    changes: list[str] | None,
    rungs: str | None,
    fresh: bool,
    out: Path,
) -> None:
    """Does all rungs in OUT/NAME-ladder, prints the recommendation and where the picture lies."""
    path = recipe_file(recipe, out)
    asked = parse_changes(changes or [])

    def make(change: Mapping[str, Any]) -> tuple[Recipe, Path]:
        return read_recipe(path, model=model, data=data, name=name, changes={**asked, **change})

    folder = out / f"{make({})[0].name}-ladder"
    with loading():
        from burnish.pipeline.ladder import climb

    quiet_libraries()
    wanted = [one.strip() for one in (rungs or "").split(",") if one.strip()]
    ladder = climb(make, folder, rungs=wanted, fresh=fresh, say=say)
    say("")
    for rung in ladder.rungs:
        mark = "★" if rung.name == ladder.recommended else " "
        say(f"{mark} {rung.name:<12} {rung.task:<10} {rung.memory}")
    say(f"\n{ladder.sentence}\npicture: {folder / 'ladder.svg'}\ntable:   {folder / 'ladder.md'}")
