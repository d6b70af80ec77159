"""`burnish serve --tune`: fine-tuning jobs beside what is served."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter

from burnish.core.errors import RecipeError
from burnish.core.settings import read_yaml
from burnish.model.bundled import BUNDLED, bundled_path
from burnish.recipe.recipe import read_recipe
from burnish.server.catalog import Catalog
from burnish.server.loading import model_name
from burnish.server.tuning.opening import open_tuning


@dataclass(frozen=True)
class Jobs:
    """How jobs are done. `names`: NAME=MODEL, by which clients may call a base; `recipe`: groups of every run's."""

    names: tuple[str, ...] = ()
    recipe: Path | None = None


@contextlib.contextmanager
def job_routes(
    catalog: Catalog, jobs: Jobs | None, out: Path, *, models: Sequence[str], runs: Sequence[Path]
) -> Iterator[Sequence[APIRouter]]:
    """The routes of jobs whose runs stand in `out`; none without `jobs`. What is tuned is served from then on.

    Raises RecipeError: a name without its model, or no part of a recipe; BurnishError: another server does these jobs.
    """
    if jobs is None:
        yield ()
        return

    def publish(name: str, folder: Path) -> None:
        catalog.add(name, folder)

    common = read_yaml(jobs.recipe).values if jobs.recipe else {}
    with open_tuning(out, known_bases(jobs.names, models, runs), publish, common=common) as router:
        yield (router,)


def known_bases(names: Sequence[str], models: Sequence[str], runs: Sequence[Path]) -> dict[str, str]:
    """What a client may call a base → what a recipe calls it: bundled models that are here, those that are served, the
    bases of the runs, and the names given."""
    here = [name for name in BUNDLED if bundled_path(name) is not None]
    tuned = [read_recipe(run / "recipe.yaml")[0].model.name for run in runs]
    bases = {name: name for name in here} | {model_name(name): _from_anywhere(name) for name in (*tuned, *models)}
    for text in names:
        name, equals, model = text.partition("=")
        if not (name and equals and model):
            raise RecipeError("A base is called by a name.", where="--tune-as", seen=text, next_move="NAME=MODEL")
        bases[name] = bases.get(model, _from_anywhere(model))
    return bases


def _from_anywhere(model: str) -> str:
    return str(Path(model).absolute()) if Path(model).exists() else model
