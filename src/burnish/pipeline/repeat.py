"""`--seeds`: the same recipe trained again with other seeds, and what the trainings have to say of each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from burnish.core.run_folder import RunFolder
from burnish.pipeline.retraining import repeat_of, report_spread, take_data, with_seed
from burnish.pipeline.run import run_stages
from burnish.recipe.recipe import Recipe

Say = Callable[[str], None]


def repeat(
    recipe: Recipe,
    base: Path,
    first: RunFolder,
    *,
    seeds: int,
    upto: str,
    whole: bool,
    fresh: bool,
    say: Say,
) -> list[RunFolder]:
    """Trains `seeds` - 1 times more than `first`, which is done, and evaluates each unless `upto` is train. Writes
    seeds.json into the first run. A finished repeat is not done again; `fresh` is as in `run_stages`.

    Raises RecipeError: the first run is a repeat itself, or a name is taken.
    """
    end = "train" if upto == "train" else "evaluate"  # a repeat is for the comparison: nobody ships it
    runs, numbers = [first], range(1, seeds)
    for number in numbers:
        again = repeat_of(recipe, first, number)
        changed = with_seed(recipe, number, again.name)
        say(f"══ training {number + 1} of {seeds}, seed {changed.train.seed}: {again.path}")
        take_data(first, again, number, fresh=fresh and whole)
        run_stages(changed, base, again, upto=end, whole=False, fresh=fresh and not whole, say=say,
                   show=lambda shop: None)  # fmt: skip
        runs.append(again)
    if end == "evaluate" and recipe.evaluate.metric.type == "judge":
        say("a judge compares each training with its opponents: there is no score whose spread could be shown")
    elif end == "evaluate":
        report_spread(runs, [recipe.train.seed + number for number in (0, *numbers)], say)
    return runs
