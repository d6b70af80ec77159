"""`burnish ladder`: one recipe, trained again with each guard against forgetting on the same rows, then compared.

A ladder is a folder of runs beside each other, one a rung. A rung that is finished is not done again; the opponents
answer once, for the first rung, and all others take their answers from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from burnish.core.errors import DataError, MissingTool, ModelError, RecipeError
from burnish.core.run_folder import RunFolder
from burnish.evals.ladder.page import write_ladder
from burnish.evals.ladder.read import GENERAL, read_ladder
from burnish.evals.ladder.records import Ladder, LeftOut
from burnish.pipeline.retraining import take_data
from burnish.pipeline.run import run_stages
from burnish.pipeline.rungs import PLAIN, chosen_rungs
from burnish.pipeline.stages import read_stages
from burnish.recipe.recipe import Recipe
from burnish.train.guard import NotFinite
from burnish.train.progress import duration

Say = Callable[[str], None]
# The recipe with these keys set otherwise, and the folder that its paths start from.
Make: TypeAlias = Callable[[Mapping[str, Any]], tuple[Recipe, Path]]


def climb(make: Make, folder: Path, *, rungs: Sequence[str] = (), fresh: bool = False, say: Say) -> Ladder:
    """Trains and evaluates each rung as a run in `folder`, and writes ladder.json, .md, .svg and .html there.
    No rungs named: all of them. `fresh` does all of them again.

    A rung that does not go with this recipe is left out with its reason. Raises as `run_stages` does where the first
    rung, the unguarded one, cannot be done; RecipeError: there is no such rung, or general text is not asked for.
    """
    recipe, _ = make({})
    wanted = chosen_rungs(recipe, rungs)
    _check(recipe)
    runs: dict[str, RunFolder] = {}
    changes: dict[str, Mapping[str, Any]] = {}
    left_out: list[LeftOut] = []
    for at, (name, (place, change)) in enumerate(wanted.items()):
        run = RunFolder(folder / name)
        say(f"══ rung {at + 1} of {len(wanted)}, {name}: {run.path}")
        try:
            _take(make, change, runs.get(PLAIN), run, place, fresh=fresh, say=say)
        except (RecipeError, MissingTool, ModelError, DataError, NotFinite) as error:
            if name == PLAIN:
                raise
            reason = f"{error.what} {error.seen}".strip()
            left_out.append(LeftOut(name, reason))
            say(f"{name} is left out: {reason}")
            continue
        runs[name], changes[name] = run, change
        if left := len(wanted) - at - 1:
            say(f"rungs left: {left}, about {duration(left * _seconds(run))} if each takes as long as this one")
    ladder = read_ladder(runs, changes, left_out, recipe.protect.forget_limit)
    write_ladder(folder, ladder)
    return ladder


def _seconds(run: RunFolder) -> float:
    """How long a rung took from training to its verdict."""
    done = read_stages(run)
    return float(done["train"]["seconds"] + done["evaluate"]["seconds"])


def _check(recipe: Recipe) -> None:
    if GENERAL not in recipe.evaluate.retention.suites:
        raise RecipeError(
            "The ladder compares what was forgotten by the loss on general text, which this recipe does not ask for.",
            where="evaluate.retention",
            seen=recipe.evaluate.retention.summary,
            next_move=f"set evaluate.retention to auto or short, or let its suites hold {GENERAL}",
        )


def _take(
    make: Make, change: Mapping[str, Any], first: RunFolder | None, run: RunFolder, place: int, *, fresh: bool, say: Say
) -> None:
    """One rung up to its verdict, on the rows of the first one."""
    changed, base = make({**change, "name": run.name})
    if first is not None:
        take_data(first, run, place, fresh=fresh)
    run_stages(
        changed,
        base,
        run,
        upto="evaluate",
        whole=first is None,
        fresh=fresh and first is None,
        say=say,
        show=lambda shop: None,
    )
