"""The arguments of transformers' Trainer, which TRL and LLaMA-Factory pass on, and in part Axolotl."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from burnish.recipe.imports.contract import Given, Note, Rule
from burnish.recipe.imports.rules import each, ignored, missing, off, only, to
from burnish.recipe.imports.training import (
    Warmup,
    clip,
    evaluate_every,
    given_or,
    optimiser,
    precision,
    save_every,
    scheduler,
    steps,
)
from burnish.recipe.imports.values import number, whole

LOGGING = ignored("logging: a run keeps metrics.jsonl and events.jsonl")
SPEED = ignored("speed and memory there: the result is the same")
LOADING = ignored("loading of rows there: the result is the same")
PROCESSES = missing("each process holds the whole model here; several GPUs: burnish run --ranks N")
UPLOAD = off("nothing is uploaded: hand a run's export folder to `hf upload`")
EVERY_MEASUREMENT = "measured three times an epoch, unless evaluate_every says otherwise"


def strategy(key: str, value: Any, given: Given) -> list[Note]:
    """When dev is measured."""
    name = str(value).strip().lower()
    if name in ("no", "false"):
        return [Note(key, value, "missing", "dev is always measured: the best weights are kept")]
    if name == "steps":
        counted = "eval_steps" in given.values
        return [Note(key, value, "ignored", "`eval_steps` counts" if counted else EVERY_MEASUREMENT)]
    return [Note(key, value, "missing", EVERY_MEASUREMENT)]


def best_metric(key: str, value: Any, given: Given) -> list[Note]:
    """What is best on dev."""
    return only("loss", "eval_loss", otherwise="the loss on dev decides")(key, value, given)


def keep_best(key: str, value: Any, given: Given) -> list[Note]:
    """Whether the best weights are the result, or the last."""
    return only(True, otherwise="the best weights on dev are the result, not the last", outcome="changed")(
        key, value, given
    )


def run_name(key: str, value: Any, given: Given) -> list[Note]:
    """The name of the run's folder, where it can be one."""
    name = re.sub(r"[^\w.-]+", "-", str(value), flags=re.ASCII).strip("-._")
    if not name:
        return [Note(key, value, "ignored", "cannot be the name of a folder")]
    return [Note(key, value, "translated", "the folder of the run", {"name": name})]


def data_seed(key: str, value: Any, given: Given) -> list[Note]:
    """One seed serves all."""
    return only(given_or(given, "seed", 42), otherwise="one seed serves the order of rows and all else")(
        key, value, given
    )


TABLE: Mapping[str, Rule] = {
    # length and rate
    "num_train_epochs": to("train.epochs", number),
    "max_steps": steps,
    "learning_rate": to("train.learning_rate", number),
    "lr_scheduler_type": scheduler,
    "lr_scheduler_kwargs": missing("a falling rate ends at a tenth of the peak"),
    **Warmup().rules(),
    "weight_decay": to("train.weight_decay", number),
    "max_grad_norm": clip,
    "optim": optimiser,
    "adafactor": off("AdamW trains instead"),
    "adam_beta1": only(0.9, otherwise="0.9 here"),
    "adam_beta2": only(0.999, otherwise="0.999 here"),
    "adam_epsilon": only(1e-8, otherwise="1e-8 here"),
    **each(missing("AdamW has no further options here"), "optim_args optim_target_modules"),
    "label_smoothing_factor": off("answers are learnt as they are"),
    "neftune_noise_alpha": off("no noise on the embeddings"),
    "seed": to("train.seed", whole),
    "data_seed": data_seed,
    "full_determinism": ignored("same machine and seed give the same bytes on a CPU"),
    # precision and speed
    **each(precision, "bf16 fp16"),
    **each(
        SPEED,
        "bf16_full_eval fp16_full_eval tf32 gradient_checkpointing gradient_checkpointing_kwargs "
        "activation_checkpointing activation_checkpointing_kwargs torch_compile_backend torch_compile_mode "
        "use_liger_kernel liger_kernel_config use_cache torch_empty_cache_steps auto_find_batch_size "
        "half_precision_backend fp16_backend fp16_opt_level skip_memory_metrics use_cpu no_cuda use_mps_device "
        "jit_mode_eval use_ipex tpu_num_cores tpu_metrics_debug debug torchdynamo average_tokens_across_devices "
        "per_device_eval_batch_size per_gpu_eval_batch_size eval_accumulation_steps eval_do_concat_batches "
        "eval_use_gather_object batch_eval_metrics xpu_backend ray_scope",
    ),
    "torch_compile": off("train.compile compiles the small functions; it brought nothing where it was measured"),
    # measuring and saving
    "eval_strategy": strategy,
    "evaluation_strategy": strategy,
    "eval_steps": evaluate_every,
    "eval_delay": off("dev is measured from the first epoch on"),
    "eval_on_start": ignored("the base model is measured for the verdict"),
    "metric_for_best_model": best_metric,
    "greater_is_better": only(False, otherwise="the loss on dev decides"),
    "load_best_model_at_end": keep_best,
    "save_steps": save_every,
    "early_stopping_patience": to("train.patience", whole),
    **each(
        ignored("the newest checkpoint and the best are kept, with all that is needed to go on"),
        "save_strategy save_total_limit save_only_model save_safetensors save_on_each_node enable_jit_checkpoint "
        "restore_callback_states_from_checkpoint ignore_data_skip overwrite_output_dir",
    ),
    "resume_from_checkpoint": off("a run goes on by the same command again; checkpoints of other tools are not read"),
    **each(ignored("a run stands in runs/NAME, NAME being the recipe's own; --out names another folder"),
           "output_dir logging_dir"),
    "run_name": run_name,
    # rows
    **each(
        LOADING,
        "dataloader_drop_last dataloader_num_workers dataloader_pin_memory dataloader_persistent_workers "
        "dataloader_prefetch_factor dataloader_multiprocessing_context dataloader_in_order remove_unused_columns "
        "label_names group_by_length length_column_name accelerator_config split_batches dispatch_batches "
        "prediction_loss_only include_for_metrics include_inputs_for_metrics past_index",
    ),
    "train_sampling_strategy": only("random", "group_by_length", otherwise="rows come in random order"),
    # processes
    **each(PROCESSES, "fsdp fsdp_config deepspeed parallelism_config fsdp_min_num_params "
           "fsdp_transformer_layer_cls_to_wrap sharded_ddp mp_parameters"),
    **each(SPEED, "ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend "
           "ddp_timeout local_rank"),
    # logging and the hub
    **each(
        LOGGING,
        "logging_strategy logging_steps logging_first_step log_on_each_node logging_nan_inf_filter "
        "include_num_input_tokens_seen include_tokens_per_second log_level log_level_replica disable_tqdm report_to "
        "project trackio_space_id trackio_bucket_id trackio_static_space_id",
    ),
    **each(UPLOAD, "push_to_hub hub_token hub_private_repo hub_model_id hub_strategy hub_always_push hub_revision "
           "push_to_hub_model_id push_to_hub_organization push_to_hub_token"),
    # what is done
    "do_train": only(True, otherwise="only configurations that train can be imported", outcome="missing"),
    **each(ignored("a run always evaluates"), "do_eval do_predict predict_with_generate"),
    "trust_remote_code": off("no code of a model's repository is ever run"),
}  # fmt: skip


def some(keys: str) -> dict[str, Rule]:
    """The rules of some of these arguments, for a tool that takes no others."""
    return {key: TABLE[key] for key in keys.split()}
