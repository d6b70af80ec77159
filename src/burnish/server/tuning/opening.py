"""The fine-tuning API as a server takes it in: open it, include its router, and let go of it when the server ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from burnish.server.tuning.desk import Publish, desk_at
from burnish.server.tuning.routes import tuning_router
from burnish.server.tuning.runner import running


@contextlib.contextmanager
def open_tuning(
    runs: Path, bases: Mapping[str, str], publish: Publish, *, common: Mapping[str, Any] | None = None
) -> Iterator[APIRouter]:
    """Goes on with the jobs of these runs and publishes the models they made. On leaving, a run at work saves and ends.

    bases: a name as clients write it → what a recipe calls the model. publish(name, folder of a run): makes a tuned
    model answer; called from a thread of its own. common: groups of a recipe that hold for every run.

    Raises BurnishError: another server works on these jobs; RecipeError: `common` is no part of a recipe.
    """
    with desk_at(runs, bases, publish, common=common) as desk, running(desk):
        yield tuning_router(desk)
