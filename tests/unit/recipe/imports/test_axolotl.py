"""Each file of Axolotl's shape becomes the recipe stated here, with the lists stated here."""

from __future__ import annotations

from typing import Any

import pytest

from burnish.recipe.imports.axolotl_data import entry_table, own_prompt
from burnish.recipe.imports.contract import Given
from burnish.recipe.imports.rules import translate
from tests.unit.recipe.imports.cases import DEVICES, Case, check

HUB = "hf://datasets/example-org/"
CASES = {
    "qlora_chat.yml": Case(
        {
            "model": {"name": "example-org/small-1b-instruct", "context": 4096, "dtype": "auto"},
            "data": {"train": HUB + "support-chats", "format": "sharegpt"},
            "adapt": {"type": "lora", "r": 32, "alpha": 16, "targets": "all-linear"},
            # 2 rows a device × 4
            "train": {"rows_per_update": 8, "epochs": 1, "schedule": "cosine", "learning_rate": 2e-4, "warmup": 0.1,
                      "weight_decay": 0.0},
        },
        changed="load_in_4bit chat_template adapter gradient_accumulation_steps micro_batch_size optimizer "
        "lr_scheduler",
        missing="val_set_size lora_dropout special_tokens",
        unknown="sequnce_len",
    ),
    "lora_alpaca.yml": Case(
        {
            "model": {"name": "example-org/small-1b", "context": 1024, "dtype": "bfloat16"},
            "data": {"train": ["data/instructions.jsonl", "data/more.jsonl"], "format": "alpaca", "dev_share": 0.05},
            "adapt": {"type": "lora", "r": 8, "alpha": 16, "targets": "attention"},
            "train": {"rows_per_update": 8, "epochs": 3, "schedule": "linear", "learning_rate": 3e-4,
                      "evaluate_every": 50, "save_every": 100, "patience": 3, "clip": 0.5, "weight_decay": 0.01,
                      "seed": 42},
        },
        changed="load_in_8bit datasets.0.type datasets.1.type val_set_size lr_scheduler",
        missing="hub_model_id hub_strategy lora_modules_to_save neftune_noise_alpha adam_beta2 warmup_steps",
    ),
    "full.yml": Case(
        {
            "model": {"name": "./models/small-360m", "context": 2048, "dtype": "float32"},
            "data": {"train": "chats.jsonl", "format": "messages", "dev": "held_out.jsonl"},
            "adapt": {"type": "full"},
            # 1 row a device × 2 × 8 devices; a constant rate has no warm-up there
            "train": {"rows_per_update": 16, "epochs": 2, "schedule": "constant", "warmup": 0, "learning_rate": 1e-5},
        },
        missing="trust_remote_code optimizer deepspeed fsdp_config plugins",
        added=("adapter (not set)",),
    ),
    "dpo.yml": Case(
        {
            "model": {"name": "example-org/small-1b-instruct", "context": 2048, "dtype": "bfloat16"},
            "data": {"train": HUB + "pairs", "format": "preference"},
            "objective": {"type": "dpo", "beta": 0.2, "label_smoothing": 0.1, "reference": "cached"},
            "adapt": {"type": "lora", "r": 16, "alpha": 32, "targets": "all-linear"},
            # 40 of 400 updates
            "train": {"rows_per_update": 16, "learning_rate": 5e-6, "steps": 400, "warmup": 0.1, "schedule": "cosine"},
        },
        changed="datasets.0.type lr_scheduler optimizer",
        missing="rpo_alpha",
    ),
    "kto.yml": Case(
        {},
        changed="datasets.0.type",
        missing="rl",
        added=(DEVICES, "lora_target_modules (not set)", "lr_scheduler (not set)", "warmup_steps (not set)"),
        blocked="kto",
    ),
    "pretrain.yml": Case(
        {
            "model": {"name": "example-org/small-1b", "context": 2048},
            "data": {"train": "corpus.txt", "format": "text"},
            "adapt": {"type": "full"},
            # 20 of 200 updates; a quarter of 200
            "train": {"steps": 200, "rows_per_update": 8, "learning_rate": 5e-4, "warmup": 0.1, "evaluate_every": 50,
                      "seed": 7},
        },
        changed="micro_batch_size gradient_accumulation_steps",
        missing="lr_scheduler",
        added=(DEVICES, "adapter (not set)"),
    ),
    "dora_columns.yml": Case(
        {
            "model": {"name": "example-org/small-1b", "context": 512},
            "data": {"train": ["faq.csv", "papers.jsonl", "s3://bucket/rows.jsonl"]},
            "adapt": {"type": "peft", "config": {"peft_type": "LORA", "use_dora": True, "use_rslora": True, "r": 16,
                                                 "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}},
            "train": {"rows_per_update": 8, "epochs": 1, "schedule": "cosine", "warmup": 0.03},
        },
        changed="datasets.0.type.field_instruction datasets.0.type.field_output datasets.0.type.format datasets.1.type",
        missing="datasets.0.type.system_prompt datasets.2.path datasets.2.type datasets.2.shards loraplus_lr_ratio "
        "learning_rate weight_decay",
        added=(DEVICES, "num_epochs (not set)", "lr_scheduler (not set)", "warmup_steps (not set)",
               "sequence_len (not set)"),
        unknown="frobnicate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("file", CASES)
def test_a_file_becomes_this_recipe(file: str) -> None:
    check(f"axolotl/{file}", CASES[file])


@pytest.mark.parametrize(
    ("entry", "sets"),
    [
        ({"type": "alpaca:chat"}, {"data.format": "alpaca"}),
        ({"type": "alpaca_chat.load_qa"}, {"data.prompt": "question", "data.completion": "answer"}),
        ({"type": "sharegpt"}, {"data.format": "sharegpt"}),
        ({"type": "completion"}, {"data.format": "text"}),
        ({"type": "chat_template"}, {"data.format": "messages"}),
        ({"type": "chat_template", "message_field_role": "from", "message_field_content": "value"},
         {"data.format": "sharegpt"}),
        ({"type": "chat_template", "message_field_role": "speaker"}, {}),
        ({"type": "llama3.prompt_pairs"}, {"data.format": "preference"}),
        ({"type": "chatml.argilla"}, {"data.prompt": "instruction", "data.completion": "chosen_response",
                                      "data.rejected": "rejected_response"}),
        ({"type": "zephyr.nectar"}, {}),
        ({"type": {"field_prompt": "q", "field_chosen": "good", "field_rejected": "bad"}},
         {"data.prompt": "q", "data.completion": "good", "data.rejected": "bad"}),
        ({"type": "input_output"}, {}),
    ],
)  # fmt: skip
def test_types_of_datasets(entry: dict[str, Any], sets: dict[str, str]) -> None:
    notes = translate(Given(entry), entry_table("data.train"), "datasets")
    assert {target: value for note in notes for target, value in note.sets.items()} == sets


def test_a_format_of_columns_becomes_a_template() -> None:
    assert own_prompt({"field_instruction": "q", "format": "{instruction}"}) == {"data.prompt": "q"}
    assert own_prompt({"field_instruction": "q", "field_input": "c"}) == {"data.template": "{q}\n{c}"}
    written = {"field_instruction": "q", "field_input": "c", "format": "[{x}] {instruction} / {input}"}
    assert own_prompt(written) == {"data.template": "[{{x}}] {q} / {c}"}
