"""Each script and YAML of TRL's shape becomes the recipe stated here, with the lists stated here."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import RecipeError
from burnish.recipe.imports.read import import_files
from tests.unit.recipe.imports.cases import DEVICES, FILES, Case, check, keys

RATE = ("lr_scheduler_type (not set)", "warmup_steps (not set)")
SMALL = "example-org/small-500m"
CASES = {
    "sft_full.sh": Case(
        {
            "model": {"name": SMALL, "context": 1024},
            "data": {"train": "hf://datasets/example-org/chats"},
            "objective": {"type": "sft"},
            "adapt": {"type": "full"},
            "train": {"learning_rate": 2e-5, "epochs": 1, "rows_per_update": 16, "evaluate_every": 100,
                      "schedule": "linear", "warmup": 0},
        },
        changed="--per_device_train_batch_size --gradient_accumulation_steps",
        missing="--eos_token --push_to_hub",
        added=(DEVICES, *RATE, "use_peft (not set)", "max_length (not set)"),
    ),
    "sft_lora.txt": Case(
        {
            "model": {"name": SMALL, "context": 2048, "dtype": "bfloat16"},
            "data": {"train": "data/rows.jsonl"},
            "objective": {"type": "sft"},
            "adapt": {"type": "lora", "r": 32, "alpha": 16, "targets": "attention"},
            # 1 row a device × 2 × 4 processes; 30 of 300 updates
            "train": {"rows_per_update": 8, "learning_rate": 2e-4, "steps": 300, "warmup": 0.1, "schedule": "linear"},
        },
        changed="--load_in_4bit --max_length",
        missing="--config_file",
        added=("lr_scheduler_type (not set)",),
    ),
    "dpo.sh": Case(
        {
            "model": {"name": "example-org/small-500m-instruct", "context": 1024},
            "data": {"train": "pairs.jsonl"},
            "objective": {"type": "dpo", "beta": 0.05, "label_smoothing": 0.1, "reference": "cached"},
            # rsLoRA counts alpha / √r: 32 / √16 = 8 = 128 / 16
            "adapt": {"type": "lora", "targets": "all-linear", "alpha": 128, "r": 16},
            "train": {"learning_rate": 5e-6, "epochs": 1, "schedule": "cosine", "warmup": 0.1},
        },
        changed="--lr_scheduler_type --use_rslora --optim",
        missing="--num_processes --dataset_test_split --per_device_train_batch_size --gradient_accumulation_steps "
        "--max_prompt_length --hub_token",
        added=("max_length (not set)", "lora_r (not set)"),
    ),
    "with_config.sh": Case(
        {
            "model": {"name": SMALL, "dtype": "bfloat16", "context": 1024},
            "data": {"train": ["first.jsonl", "hf://datasets/example-org/second"], "dev_share": 0.1},
            "objective": {"type": "sft"},
            "adapt": {"type": "lora", "r": 16, "alpha": 32.0, "targets": ["q_proj", "v_proj"]},
            # the command line's rate
            "train": {"learning_rate": 1e-4, "schedule": "cosine", "rows_per_update": 4, "seed": 3, "epochs": 3,
                      "warmup": 0},
        },
        changed="test_split_size lr_scheduler_type",
        missing="--accelerate_config datasets.1.name",
        added=(DEVICES, "lora_alpha (not set)", "lora_target_modules (not set)", "num_train_epochs (not set)",
               "warmup_steps (not set)", "max_length (not set)"),
        unknown="--frobnicate",
    ),
    "sft_config.yaml": Case(
        {
            "model": {"name": SMALL, "dtype": "bfloat16", "context": 1024},
            "data": {"train": ["first.jsonl", "hf://datasets/example-org/second"], "dev_share": 0.1},
            "objective": {"type": "sft"},
            "adapt": {"type": "lora", "r": 16, "alpha": 32.0, "targets": ["q_proj", "v_proj"]},
            "train": {"learning_rate": 2e-4, "schedule": "cosine", "rows_per_update": 4, "seed": 3, "epochs": 3,
                      "warmup": 0},
        },
        changed="test_split_size lr_scheduler_type",
        missing="datasets.1.name",
        added=(DEVICES, "the method (not said)", "lora_alpha (not set)", "lora_target_modules (not set)",
               "num_train_epochs (not set)", "warmup_steps (not set)", "max_length (not set)"),
    ),
    "dpo_config.yaml": Case(
        {
            "model": {"name": "example-org/small-500m-instruct", "context": 1024},
            "data": {"train": "pairs.parquet"},
            "objective": {"type": "dpo", "beta": 0.1},
            "adapt": {"type": "peft", "config": {"peft_type": "LORA", "use_dora": True, "r": 8, "lora_alpha": 16,
                                                 "target_modules": ["q_proj", "v_proj"]}},
            "train": {"learning_rate": 1e-6, "rows_per_update": 8, "save_every": 100, "epochs": 3,
                      "schedule": "linear", "warmup": 0},
        },
        changed="max_length",
        missing="max_grad_norm",
        added=(DEVICES, *RATE, "the method (not said)", "num_train_epochs (not set)"),
    ),
    "module.sh": Case(
        {
            "name": "my-run",
            "model": {"name": SMALL, "context": 1024},
            "data": {"train": "rows.csv"},
            "objective": {"type": "sft"},
            "adapt": {"type": "full"},
            # 8 rows a device by default × 2 processes on each of 2 nodes
            "train": {"rows_per_update": 32, "weight_decay": 0.1, "epochs": 3, "learning_rate": 2e-5,
                      "schedule": "linear", "warmup": 0},
        },
        missing="--dataset_text_field --completion_only_loss",
        added=(*RATE, "use_peft (not set)", "num_train_epochs (not set)", "learning_rate (not set)",
               "max_length (not set)"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("file", CASES)
def test_a_file_becomes_this_recipe(file: str) -> None:
    check(f"trl/{file}", CASES[file])


def test_a_method_without_an_objective_makes_no_recipe() -> None:
    done = import_files([FILES / "trl/grpo.sh"])
    assert done.recipe == {}
    assert "grpo" in done.blocked
    assert keys(done, "missing") == {"trl grpo", "--reward_funcs", "--num_generations", "--use_vllm"}


def test_devices_of_the_command_line_count_before_those_of_the_launcher() -> None:
    done = import_files([FILES / "trl/sft_lora.txt"], devices=16)
    assert done.recipe["train"]["rows_per_update"] == 1 * 2 * 16


def test_a_config_given_with_the_script_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("trl sft --config elsewhere/c.yaml\n")
    done = import_files([tmp_path / "run.sh", FILES / "trl/sft_config.yaml"])
    assert done.recipe["model"]["name"] == SMALL


def test_a_config_that_is_not_here_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("trl sft --config elsewhere/c.yaml\n")
    with pytest.raises(RecipeError, match="--config") as error:
        import_files([tmp_path / "run.sh"])
    assert error.value.seen == "elsewhere/c.yaml"


def test_options_may_be_shortened_and_denied_as_argparse_allows(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_text("trl sft --model_name m --dataset_name d.csv --no_use_peft --learning 1e-5 --lora 3\n")
    done = import_files([path])
    assert done.recipe["model"]["name"] == "m"
    assert done.recipe["adapt"] == {"type": "full"}
    assert "--learning" in keys(done, "translated")
    assert keys(done, "unknown") == {"--lora"}  # many begin so
