"""A run by its name or its folder. Apart from the stages, which import all that they use."""

from __future__ import annotations

from pathlib import Path

from burnish.core.errors import RecipeError
from burnish.core.run_folder import RunFolder


def find_run(text: str, runs: Path) -> RunFolder | None:
    """The run that a path or a name means; None when there is none."""
    for path in (Path(text), runs / text):
        if (path / "recipe.yaml").is_file():
            return RunFolder(path)
    return None


def existing_run(text: str, runs: Path) -> RunFolder:
    """`find_run` that insists."""
    run = find_run(text, runs)
    if run is None:
        raise RecipeError("There is no such run.", seen=text, next_move="`burnish runs` lists what there is")
    return run
