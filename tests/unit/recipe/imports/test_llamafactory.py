"""Each file of LLaMA-Factory's shape becomes the recipe stated here, with the lists stated here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burnish.core.errors import RecipeError
from burnish.recipe.imports.llamafactory_data import alpaca_layout, turns_layout
from burnish.recipe.imports.read import import_files
from tests.unit.recipe.imports.cases import DEVICES, FILES, Case, check

INSTRUCT = "example-org/small-1b-instruct"
RATE = ("lr_scheduler_type (not set)", "warmup_steps (not set)")
CASES = {
    "lora_sft.yaml": Case(
        {
            "model": {"name": INSTRUCT, "context": 2048, "dtype": "bfloat16"},
            # 1000 rows of each of two files
            "data": {"train": ["data/faq.json", "data/tickets.json"], "format": "alpaca", "rows": 2000},
            "objective": {"type": "sft"},
            "adapt": {"type": "lora", "r": 8, "alpha": 16, "targets": "all-linear"},
            "train": {"save_every": 500, "rows_per_update": 8, "learning_rate": 1e-4, "epochs": 3, "schedule": "cosine",
                      "warmup": 0.1},
        },
        changed="dataset_info.tickets.columns.prompt dataset_info.tickets.columns.query template cutoff_len "
        "max_samples lr_scheduler_type",
        missing="trust_remote_code",
        added=(DEVICES, "lora_alpha (not set)"),
    ),
    "full_sft.yaml": Case(
        {
            "model": {"name": INSTRUCT, "context": 4096, "dtype": "bfloat16"},
            "data": {"train": "data/chats.jsonl", "format": "messages", "dev": "data/held_out.json"},
            "objective": {"type": "sft"},
            "adapt": {"type": "full"},
            "train": {"rows_per_update": 8, "learning_rate": 1e-5, "epochs": 2, "schedule": "constant", "warmup": 0.05,
                      "evaluate_every": 200},
        },
        changed="template cutoff_len packing per_device_train_batch_size gradient_accumulation_steps",
        missing="deepspeed enable_thinking",
    ),
    "lora_dpo.yaml": Case(
        {
            "model": {"name": INSTRUCT, "dtype": "auto", "context": 2048},
            "data": {"train": "data/pairs.json", "format": "preference"},
            "objective": {"type": "dpo", "beta": 0.3, "label_smoothing": 0.0},
            "adapt": {"type": "lora", "r": 16, "alpha": 16, "targets": ["q_proj", "v_proj"]},
            "train": {"rows_per_update": 8, "learning_rate": 5e-6, "epochs": 3, "schedule": "cosine", "warmup": 0.1},
        },
        changed="template lr_scheduler_type fp16",
        missing="lora_dropout pref_ftx",
        added=(DEVICES, "cutoff_len (not set)"),
    ),
    "orpo.yaml": Case(
        {},
        changed="template",
        missing="pref_loss",
        added=(DEVICES, *RATE, "lora_rank (not set)", "lora_alpha (not set)", "num_train_epochs (not set)",
               "per_device_train_batch_size (not set)", "cutoff_len (not set)"),
        blocked="orpo",
    ),
    "freeze.yaml": Case(
        {
            "model": {"name": INSTRUCT, "context": 2048},
            "data": {"train": "hf://datasets/example-org/orca", "prompt": "question", "completion": "answer",
                     "dev_share": 0.1},
            "objective": {"type": "sft"},
            "adapt": {"type": "freeze", "layers": 3},
            "train": {"steps": 500, "rows_per_update": 4, "learning_rate": 2e-5, "warmup": 0.1},
        },
        changed="val_size template",
        missing="default_system lr_scheduler_type optim",
        added=(DEVICES, "cutoff_len (not set)"),
    ),
    "pretrain.yaml": Case(
        {
            "model": {"name": "example-org/small-1b", "context": 1024, "dtype": "bfloat16"},
            "data": {"train": "data/corpus.txt", "format": "text"},
            "objective": {"type": "sft"},
            "adapt": {"type": "lora", "targets": "all-linear", "r": 8, "alpha": 16},
            "train": {"rows_per_update": 8, "learning_rate": 1e-4, "epochs": 1, "schedule": "linear", "warmup": 0},
        },
        changed="cutoff_len",
        added=(DEVICES, *RATE, "lora_rank (not set)", "lora_alpha (not set)"),
    ),
    "qlora_rslora.yaml": Case(
        {
            "model": {"name": "../models/small-1b", "context": 2048},
            "data": {"train": "data/tickets.json", "format": "alpaca"},
            "objective": {"type": "sft"},
            # rsLoRA counts alpha / √r: 32 / √16 = 8 = 128 / 16
            "adapt": {"type": "lora", "r": 16, "alpha": 128, "targets": "all-linear"},
            "train": {"rows_per_update": 4, "learning_rate": 2e-4, "patience": 5, "epochs": 3, "schedule": "linear",
                      "warmup": 0},
        },
        changed="quantization_bit use_rslora dataset_info.tickets.columns.prompt dataset_info.tickets.columns.query",
        missing="quantization_method double_quantization additional_target adapter_name_or_path eval_dataset",
        added=(DEVICES, *RATE, "num_train_epochs (not set)", "cutoff_len (not set)"),
        unknown="lora_rnak",
    ),
    "reward.yaml": Case(
        {},
        changed="template",
        missing="stage",
        added=(DEVICES, *RATE, "lora_rank (not set)", "lora_alpha (not set)", "num_train_epochs (not set)",
               "per_device_train_batch_size (not set)", "cutoff_len (not set)"),
        blocked="rm",
    ),
}  # fmt: skip


@pytest.mark.parametrize("file", CASES)
def test_a_file_becomes_this_recipe(file: str) -> None:
    check(f"llamafactory/{file}", CASES[file])


def test_a_description_given_with_the_settings_is_the_one_that_counts(tmp_path: Path) -> None:
    info = tmp_path / "dataset_info.json"
    info.write_text(json.dumps({"faq": {"file_name": "other.json"}, "tickets": {"file_name": "t.json"}}))
    done = import_files([FILES / "llamafactory/lora_sft.yaml", info])
    assert done.recipe["data"]["train"] == ["data/other.json", "data/t.json"]


def test_a_dataset_that_is_not_described_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model_name_or_path: m\nstage: sft\nfinetuning_type: lora\ndataset: nowhere\n")
    with pytest.raises(RecipeError, match="nowhere") as error:
        import_files([tmp_path / "a.yaml"])
    assert "dataset_info.json" in error.value.next_move


def test_names_without_a_description_are_those_of_the_hub(tmp_path: Path) -> None:
    text = "model_name_or_path: m\nstage: sft\nfinetuning_type: lora\ndataset: org/a, org/b\ndataset_dir: ONLINE\n"
    (tmp_path / "a.yaml").write_text(text)
    done = import_files([tmp_path / "a.yaml"])
    assert done.recipe["data"]["train"] == ["hf://datasets/org/a", "hf://datasets/org/b"]


def test_named_columns_replace_those_of_alpaca() -> None:
    assert alpaca_layout({}) == {"data.format": "alpaca"}
    assert alpaca_layout({"columns": {"prompt": "text"}}) == {"data.format": "text"}
    columns = {"prompt": "task", "query": "about", "response": "done"}
    assert alpaca_layout({"columns": columns}) == {"data.template": "{task}\n{about}", "data.completion": "done"}


def test_two_answers_are_told_by_their_columns() -> None:
    usual = {"prompt": "instruction", "query": "input", "chosen": "chosen", "rejected": "rejected"}
    assert alpaca_layout({"ranking": True, "columns": usual}) == {"data.format": "preference"}
    own = {"prompt": "task", "chosen": "good", "rejected": "bad"}
    named = {"data.prompt": "task", "data.completion": "good", "data.rejected": "bad"}
    assert alpaca_layout({"ranking": True, "columns": own}) == named
    assert turns_layout({"ranking": True}) == {"data.format": "preference"}
    turns = {"messages": "talk", "chosen": "good", "rejected": "bad"}
    assert turns_layout({"ranking": True, "columns": turns}) == {**named, "data.prompt": "talk"}


def test_messages_are_told_by_their_tags() -> None:
    assert turns_layout({}) == {"data.format": "sharegpt"}
    assert turns_layout({"formatting": "openai"}) == {"data.format": "messages"}
    assert turns_layout({"tags": {"role_tag": "speaker", "content_tag": "said"}}) is None
