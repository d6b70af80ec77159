"""Training again with other seeds: runs of their own on the same rows, against the same opponents."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from burnish.core.errors import RecipeError
from burnish.core.files import read_json, sha256_of_tree, write_json
from burnish.core.run_folder import RunFolder
from burnish.pipeline import stages
from burnish.recipe.recipe import Recipe

Say = Callable[[str], None]


@dataclass(frozen=True)
class First:
    """The run that another one repeats: `weights` is the hash of its specialist, `number` counts the repeats from 1."""

    run: RunFolder
    weights: str
    number: int


def first_training(run: RunFolder) -> First | None:
    """The run that this one repeats with another seed; None where it repeats none, or that one is gone."""
    if not run.retraining.exists():
        return None
    known = read_json(run.retraining)
    first = RunFolder(run.path.parent / str(known["of"]))
    folder = first.adapter if first.adapter.exists() else first.model
    return First(first, sha256_of_tree(folder), int(known["number"])) if folder.exists() else None


def with_seed(recipe: Recipe, number: int, name: str) -> Recipe:
    """The recipe of a repeat: another seed for training alone. The rows and what evaluation draws stay the same."""
    seed = recipe.train.seed
    data = seed if recipe.data.seed is None else recipe.data.seed
    evaluation = seed if recipe.evaluate.seed is None else recipe.evaluate.seed
    return recipe.model_copy(
        update={
            "name": name,
            "train": recipe.train.model_copy(update={"seed": seed + number}),
            "data": recipe.data.model_copy(update={"seed": data}),
            "evaluate": recipe.evaluate.model_copy(update={"seed": evaluation}),
        }
    )


def repeat_of(recipe: Recipe, first: RunFolder, number: int) -> RunFolder:
    """The folder of a repeat: NAME-seed1 beside NAME. Raises RecipeError: the first one is a repeat itself."""
    if first.retraining.exists():
        raise RecipeError(
            "This run repeats another one with another seed.",
            where=str(first.path),
            next_move=f"ask for --seeds of the run {read_json(first.retraining)['of']}",
        )
    return RunFolder(first.path.parent / f"{first.name}-seed{recipe.train.seed + number}")


def take_data(first: RunFolder, again: RunFolder, number: int, *, fresh: bool) -> None:
    """Gives a repeat the prepared rows of the first run, byte for byte; `fresh` begins it anew.

    Raises RecipeError: there is a run of that name which is no repeat of the first. Stopped: the disk is full.
    """
    known = {"of": first.name, "number": number}
    if again.stages.exists() and (not again.retraining.exists() or read_json(again.retraining) != known):
        raise RecipeError(
            "There is another run of the name that this training would get.",
            where=str(again.path),
            next_move="choose another --name",
        )
    again.create()
    with again.lock():
        if fresh:
            stages.forget(again, "prepare")
        if stages.finished(again, "prepare"):
            return
        write_json(again.retraining, known)
        partial = again.path / ".data"
        for old in (partial, again.data):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(first.data, partial)
        partial.rename(again.data)
        write_json(again.stages, {**stages.read_stages(again), "prepare": stages.read_stages(first)["prepare"]})


def report_spread(runs: list[RunFolder], seeds: list[int], say: Say) -> None:
    """Writes seeds.json of the first run, and its verdict.md and report.html anew, which show it."""
    from burnish.evals.report import write_report
    from burnish.evals.retrainings import spread_of, spread_sentences
    from burnish.evals.verdict_text import write_verdict

    first = runs[0]
    spread = spread_of(runs, seeds)
    write_json(first.seeds, spread.to_json())
    write_verdict(first)
    write_report(first)
    for line in spread_sentences(spread):
        say(line)
