"""What both of trl's trainers need: the model, the adapter and the same training arguments."""

from __future__ import annotations

import argparse
from typing import Any

import torch
from peft import LoraConfig, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM


def load_model(arguments: argparse.Namespace) -> Any:
    """The base model in the asked-for precision."""
    return AutoModelForCausalLM.from_pretrained(arguments.model, dtype=getattr(torch, arguments.weights))


def lora(arguments: argparse.Namespace) -> LoraConfig | None:
    """The adapter's shape; None for full fine-tuning."""
    if arguments.method == "full":
        return None
    return LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")


def load_start(trainer: Any, arguments: argparse.Namespace) -> None:
    """Gives the new adapter the start that the other side has."""
    if arguments.method == "lora":
        loaded = set_peft_model_state_dict(trainer.model, load_file(arguments.start / "adapter_model.safetensors"))
        if loaded.unexpected_keys:
            raise SystemExit(f"the adapter's start does not fit: {loaded.unexpected_keys[:3]}")


def training_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that decide the mathematics, and those that keep the trainer from doing anything else."""
    return {
        "output_dir": str(arguments.folder),
        "per_device_train_batch_size": arguments.batch,
        "gradient_accumulation_steps": 1,
        "max_steps": arguments.steps,
        "learning_rate": arguments.learning_rate,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "train_sampling_strategy": "sequential",
        "bf16": arguments.products == "bfloat16",
        "use_cpu": True,
        "gradient_checkpointing": arguments.checkpointing,
        "max_length": None,
        "logging_steps": 1,
        "report_to": [],
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": 0,
    }
