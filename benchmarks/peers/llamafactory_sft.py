"""LLaMA-Factory's supervised stage on rows of token ids, which it takes as a data set it tokenised before."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from datasets import Dataset, DatasetDict
from meter import Meter, common_arguments, read_rows, threads

# LLaMA-Factory imports torchaudio for text too, and the index's build of it does not load beside torch for the CPU.
absent = ModuleType("torchaudio")
absent.__spec__ = ModuleSpec("torchaudio", None)
sys.modules["torchaudio"] = absent

from llamafactory.train.tuner import run_exp  # noqa: E402

arguments = common_arguments(__doc__).parse_args()
tokenised = arguments.folder / "tokenised"
DatasetDict(
    train=Dataset.from_list(
        [
            {
                "input_ids": row["ids"],
                "attention_mask": [1] * len(row["ids"]),
                "labels": [i if m else -100 for i, m in zip(row["ids"], row["learnt"], strict=True)],
                "images": None,
                "videos": None,
                "audios": None,
            }
            for row in read_rows(arguments.rows)
        ]
    )
).save_to_disk(tokenised)

settings: dict[str, Any] = {
    "stage": "sft",
    "do_train": True,
    "model_name_or_path": arguments.model,
    "template": "smollm2",
    "tokenized_path": str(tokenised),
    "dataset": "tokenised",
    "disable_shuffling": True,
    "output_dir": str(arguments.folder / "out"),
    "per_device_train_batch_size": arguments.batch,
    "gradient_accumulation_steps": 1,
    "max_steps": arguments.steps,
    "learning_rate": arguments.learning_rate,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "bf16": arguments.products == "bfloat16",
    "use_cpu": True,
    "disable_gradient_checkpointing": not arguments.checkpointing,
    "finetuning_type": arguments.method,
    "logging_steps": 1,
    "report_to": "none",
    "save_strategy": "no",
    "disable_tqdm": True,
    "seed": 0,
}
if arguments.method == "lora":
    settings |= {
        "lora_rank": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.0,
        "lora_target": "all",
        "adapter_name_or_path": str(arguments.start),
    }
meter = Meter()
run_exp(settings, callbacks=[meter])
meter.write(arguments.out, threads=threads(), weights=arguments.weights, checkpointing=arguments.checkpointing)
