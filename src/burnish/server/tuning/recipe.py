"""A job → the recipe of its run.

The validation file is measured while training runs, as OpenAI's is, so it is `dev`. The test that decides the verdict
is split off the training file, and nothing is ever chosen by it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from burnish.core.errors import RecipeError
from burnish.core.files import disk_errors, write_text
from burnish.core.settings import Document, build
from burnish.recipe.recipe import Recipe, expand
from burnish.server.tuning.jobs import Job

TRAIN, DEV, RECIPE, LOG = "train.jsonl", "dev.jsonl", "recipe.yaml", "log.txt"
KEYS = {"n_epochs": "epochs", "batch_size": "rows_per_update", "learning_rate_multiplier": "learning_rate_multiplier"}


def keep_data(folder: Path, training: Path, validation: Path | None) -> None:
    """Names the files' contents a second time, so that a deletion does not take them from a job that waits."""
    with disk_errors(folder):
        folder.mkdir(mode=0o700)
        for name, source in ((TRAIN, training), (DEV, validation)):
            if source is None:
                continue
            try:
                os.link(source, folder / name)
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, folder / name)


def job_recipe(job: Job, model: str, folder: Path, common: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe as a mapping. `common`: what the server's owner wants of every run, under what a job says."""
    said = {key: value for key, value in job.hyperparameters.items() if value != "auto"}
    train = {ours: said[theirs] for theirs, ours in KEYS.items() if theirs in said}
    objective = {"type": "dpo", **({"beta": said["beta"]} if "beta" in said else {})}
    dev = {"dev": str(folder / DEV)} if job.validation_file else {}
    groups: dict[str, Any] = {
        "model": {"name": model},
        "data": {"train": str(folder / TRAIN), **dev},
        "objective": objective if job.method["type"] == "dpo" else {"type": "sft"},
        "train": {**train, "seed": job.seed},
    }
    recipe: dict[str, Any] = {**common, "name": job.id}
    for group, values in groups.items():
        recipe[group] = {**recipe.get(group, {}), **values}
    return recipe


def write_job_recipe(job: Job, model: str, folder: Path, common: Mapping[str, Any]) -> Path:
    """The file that the run of a job is started with."""
    path = folder / RECIPE
    write_text(path, yaml.safe_dump(job_recipe(job, model, folder, common), sort_keys=False, allow_unicode=True))
    return path


def check_common(common: Mapping[str, Any]) -> None:
    """Raises RecipeError: what a job alone can say, a group in its short form, or what is wrong in any recipe."""
    if wrong := sorted({"name", "model"} & common.keys()):
        raise RecipeError(f"`{wrong[0]}` is what a job says.", where="the recipe of all jobs")
    if short := [key for key, value in common.items() if not isinstance(value, Mapping)]:
        raise RecipeError("Write groups in full.", where="the recipe of all jobs", seen=f"{short[0]}: …")
    whole = {"model": {"name": "a job's"}, **common, "data": {"train": "a job's", **common.get("data", {})}}
    build(Recipe, expand(Document(whole, name="the recipe of all jobs")))
