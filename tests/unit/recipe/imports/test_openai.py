"""Each job and request of OpenAI's shape becomes the recipe stated here, with the lists stated here."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import RecipeError
from burnish.recipe.imports.read import import_files
from tests.unit.recipe.imports.cases import FILES, Case, check

MODEL = {"name": "smollm2-135m"}
METHOD = "method.supervised.hyperparameters."
CASES = {
    "job_supervised.json": Case(
        {
            "name": "tickets",
            "model": MODEL,
            "data": {"train": "file-Train1.jsonl", "test": "file-Valid1.jsonl"},
            "objective": {"type": "sft"},
            "train": {"seed": 683058546, "epochs": 4, "rows_per_update": 8, "learning_rate_multiplier": 1.8},
        },
        changed="model training_file validation_file " + METHOD + "learning_rate_multiplier",
        added=(),
    ),
    "request_supervised.json": Case(
        {
            "name": "my-first-tune",
            "model": MODEL,
            "data": {"train": "file-Train2.jsonl"},
            "objective": {"type": "sft"},
            "train": {"epochs": 2},
        },
        changed="model training_file",
        added=(),
    ),
    "job_dpo.json": Case(
        {
            "model": MODEL,
            "data": {"train": "file-Pairs1.jsonl"},
            "objective": {"type": "dpo", "beta": 0.1},
            "train": {"seed": 7, "epochs": 1},
        },
        changed="model training_file method.dpo.hyperparameters.batch_size "
        "method.dpo.hyperparameters.learning_rate_multiplier",
        added=(),
    ),
    "request_dpo.json": Case(
        {
            "model": MODEL,
            "data": {"train": "pairs.jsonl", "test": "more_pairs.jsonl"},
            "objective": {"type": "dpo"},
        },
        changed="model method.dpo.hyperparameters.beta",
        added=(),
    ),
    "reinforcement.json": Case(
        {},
        changed="model training_file validation_file",
        missing="method.type method.reinforcement.grader method.reinforcement.response_format "
        "method.reinforcement.hyperparameters.reasoning_effort method.reinforcement.hyperparameters.compute_multiplier "
        "method.reinforcement.hyperparameters.eval_interval method.reinforcement.hyperparameters.eval_samples",
        added=(),
        blocked="reinforcement",
    ),
    "legacy.json": Case(
        {
            "model": MODEL,
            "data": {"train": "file-Train3.jsonl"},
            "objective": {"type": "sft"},
            "train": {"learning_rate_multiplier": 2},
        },
        changed="model training_file hyperparameters.n_epochs hyperparameters.batch_size "
        "hyperparameters.learning_rate_multiplier",
        added=("method (not set)",),
    ),
    "continued.json": Case(
        {
            "model": MODEL,
            "data": {"train": "file-Train4.jsonl"},
            "objective": {"type": "sft"},
            "train": {"seed": 1},
        },
        changed="model training_file",
        added=(),
        unknown="n_epochs",
    ),
}


@pytest.mark.parametrize("file", CASES)
def test_a_file_becomes_this_recipe(file: str) -> None:
    check(f"openai/{file}", CASES[file])


def test_model_and_data_of_the_command_line_count() -> None:
    done = import_files([FILES / "openai/job_dpo.json"], model="org/open", data="pairs.jsonl")
    assert done.recipe["model"]["name"] == "org/open"
    assert done.recipe["data"]["train"] == "pairs.jsonl"
    replaced = {note.key: note.text for note in done.notes if note.key in ("model", "training_file")}
    assert replaced == {key: f"`--{key.split('_')[0].replace('training', 'data')}` says it otherwise, and counts"
                        for key in replaced}  # fmt: skip


def test_a_list_of_jobs_is_no_job(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text('{"object": "list", "data": []}')
    with pytest.raises(RecipeError, match="list of jobs"):
        import_files([tmp_path / "jobs.json"])
