from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.core.errors import RecipeError
from burnish.recipe.recipe import read_recipe
from burnish.server.tuning.files import TUNE
from burnish.server.tuning.recipe import check_common, write_job_recipe
from burnish.server.tuning.submit import submit
from tests.unit.server.tuning.desks import job_at_desk
from tests.unit.server.tuning.rows import jsonl


def test_a_job_becomes_a_recipe_in_which_auto_is_left_to_burnish(tmp_path: Path) -> None:
    with job_at_desk(tmp_path, seed=9, hyperparameters={"n_epochs": 2, "learning_rate_multiplier": 0.5}) as at:
        folder = at.desk.folder(at.id)
        recipe, _ = read_recipe(write_job_recipe(at.job, "smollm2-135m", folder, {"train": {"patience": 2}}))
        assert recipe.name == at.id
        assert recipe.model.name == "smollm2-135m"
        assert recipe.objective.type == "sft"
        assert (recipe.data.train, recipe.data.dev, recipe.data.test) == (str(folder / "train.jsonl"), None, None)
        train = recipe.train
        assert (train.epochs, train.learning_rate_multiplier, train.seed, train.patience) == (2, 0.5, 9, 2)
        assert (train.rows_per_update, train.learning_rate) == ("auto", "auto")
        assert (folder / "train.jsonl").read_bytes() == jsonl()


def test_preferences_and_a_validation_file_have_their_places(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        content = at.desk.files.folder / ".second"
        content.write_bytes(jsonl(count=3))
        second = at.desk.files.add(content, "valid.jsonl", TUNE)["id"]
        body: dict[str, Any] = {
            "model": "tiny", "training_file": at.job.training_file, "validation_file": second,
            "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3, "batch_size": 2}}},
        }  # fmt: skip
        job = submit(at.desk, body)
        folder = at.desk.folder(job.id)
        recipe, _ = read_recipe(write_job_recipe(job, "smollm2-135m", folder, {}))
        assert recipe.objective.model_dump(include={"type", "beta"}) == {"type": "dpo", "beta": 0.3}
        assert recipe.train.rows_per_update == 2
        assert recipe.data.dev == str(folder / "dev.jsonl")
        assert (folder / "dev.jsonl").read_bytes() == jsonl(count=3)


@pytest.mark.parametrize(
    "common", [{"model": {"name": "x"}}, {"name": "x"}, {"evaluate": "off"}, {"train": {"epoch": 3}}, {"trian": {}}]
)
def test_what_holds_for_all_jobs_is_checked_before_the_first(common: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        check_common(common)
    check_common({"train": {"patience": 3}, "data": {"test_share": 0.2}})
