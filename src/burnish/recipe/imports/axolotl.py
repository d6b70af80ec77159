"""Axolotl's YAML → a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from burnish.recipe.imports import axolotl_data, hf_trainer
from burnish.recipe.imports.assemble import Assumption, assume, finish
from burnish.recipe.imports.contract import Given, Imported, Note, Rule
from burnish.recipe.imports.hf_trainer import LOADING, LOGGING, PROCESSES, SPEED, UPLOAD
from burnish.recipe.imports.lora import Lora
from burnish.recipe.imports.rules import each, ignored, missing, off, one_of, only, to, translate, unusable
from burnish.recipe.imports.training import (
    BITS,
    FLOOR,
    Batch,
    Warmup,
    dev_share,
    epochs_or_steps,
    is_on,
    no_objective,
    optimiser,
    precision,
    scheduler,
)
from burnish.recipe.imports.values import number, whole, word, words

TOOL = "Axolotl"
SMALLER = "the whole vocabulary stays as the tokenizer has it"
NO_SAMPLES = ignored("examples of answers stand in the report")
OTHER_LOSS = "another loss than that of supervised fine-tuning"
ADAPTERS = ("lora", "qlora")


def trains_adapter(given: Given) -> bool:
    return str(given.values.get("adapter", "")).strip().lower() in ADAPTERS


BATCH = Batch("micro_batch_size", "gradient_accumulation_steps", 1, lambda given: is_on(given, "sample_packing"),
              total="batch_size")  # fmt: skip
LORA = Lora("lora_r", "lora_alpha", "lora_target_modules", "peft_use_dora", "peft_use_rslora", trains_adapter, 8)


def adapter(key: str, value: Any, given: Given) -> list[Note]:
    """lora and qlora; another kind of adapter would be another method."""
    if not trains_adapter(given):
        return [Note(key, value, "missing", "adapters of Axolotl's plugins: LoRA stands in", {"adapt.type": "lora"})]
    quantised = str(value).strip().lower() == "qlora"
    return [Note(key, value, "changed" if quantised else "translated", BITS if quantised else "",
                 {"adapt.type": LORA.kind(given)})]  # fmt: skip


def all_linear(key: str, value: Any, given: Given) -> list[Note]:
    """A switch for what is a group of matrices here."""
    if not is_on(given, key):
        return [Note(key, value, "ignored", "off")]
    return [replace(note, value=value) for note in LORA.rules()[LORA.targets](key, "all-linear", given)]


def method(key: str, value: Any, given: Given) -> list[Note]:
    """`rl` names the objective where it is not supervised."""
    name = str(value).strip().lower()
    if name == "dpo":
        return [Note(key, value, "translated", "", {"objective.type": "dpo"})]
    return [Note(key, value, "missing", no_objective(name), blocks=True)]


def for_preferences(target: str) -> Rule:
    """A setting of the objective that counts only where preferences are learnt."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        if not is_on(given, "rl"):
            return [Note(key, value, "ignored", "no preferences are learnt")]
        return to(target, number)(key, value, given)

    return rule


def reference(key: str, value: Any, given: Given) -> list[Note]:
    """Whether the reference's log-probabilities are asked once for all."""
    return [Note(key, value, "translated", "", {"objective.reference": "cached"})] if is_on(given, key) else [
        Note(key, value, "ignored", "off")
    ]  # fmt: skip


def loss_types(key: str, value: Any, given: Given) -> list[Note]:
    """DPO's own loss is `sigmoid`; each other makes another method of it."""
    try:
        names = words(value)
    except ValueError as error:
        return [unusable(key, value, error)]
    if names == ["sigmoid"]:
        return [Note(key, value, "ignored", "as Burnish does")]
    return [Note(key, value, "missing", no_objective("DPO with the loss " + " + ".join(names)), blocks=True)]


def least_rate(key: str, value: Any, given: Given) -> list[Note]:
    """Where the falling rate ends, as a share of the peak."""
    return only(0.1, otherwise=f"the rate {FLOOR}")(key, value, given)


def world_size(values: Mapping[str, Any]) -> int | None:
    """Devices that the file names, where it does."""
    found = values.get("world_size")
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None


def world(key: str, value: Any, given: Given) -> list[Note]:
    """Devices that share a batch."""
    return BATCH.rule(key, value, given)


def template(key: str, value: Any, given: Given) -> list[Note]:
    """The wording of turns comes from the model's own tokenizer."""
    return only("tokenizer_default", otherwise="the model's own chat template is used", outcome="changed")(
        key, value, given
    )


MODEL: Mapping[str, Rule] = {
    "base_model": to("model.name", word),
    "sequence_len": to("model.context", whole),
    "eval_sequence_len": missing("the context is the same for all rows"),
    "excess_length_strategy": only("drop", otherwise="a longer row is dropped, never cut"),
    **each(missing("the configuration and the tokenizer are the model's own"),
           "base_model_config cls_model_config tokenizer_config model_config model_kwargs overrides_of_model_config "
           "overrides_of_model_kwargs"),
    **each(ignored("found out from the model's files"),
           "model_type type_of_model tokenizer_type tokenizer_use_fast tokenizer_legacy tokenizer_use_mistral_common "
           "processor_type tokenizer_save_jinja_files is_falcon_derived_model is_llama_derived_model "
           "is_mistral_derived_model is_qwen_derived_model"),
    **each(off("the newest revision on the hub: name a folder to pin another"), "model_revision revision_of_model"),
    "trust_remote_code": hf_trainer.TABLE["trust_remote_code"],
    "rope_scaling": off("the context is the model's own"),
    **each(off("images and sound cannot be learnt"), "is_multimodal image_size image_resize_algorithm "
           "freeze_mm_modules"),
    "reinit_weights": off("training starts from the model's weights"),
    # precision and quantised weights
    **each(precision, "bf16 fp16 bfloat16 float16 float32"),
    **each(off(BITS, "changed"), "load_in_8bit load_in_4bit gptq gptq_groupsize gptq_model_v1"),
    **each(missing(BITS), "bnb_config_kwargs model_quantization_config model_quantization_config_kwargs peft qat "
           "quantization"),
    **each(off("computing in 8 bits is not supported"), "fp8 fp8_enable_fsdp_float8_all_gather"),
    # tokens and wording
    "chat_template": template,
    "chat_template_jinja": missing("the model's own chat template is used"),
    "chat_template_kwargs": missing("the model's own chat template is used, without options"),
    "default_system_message": missing("write a system message into the rows (a column `system`)"),
    "eot_tokens": ignored("the model's chat template says where a turn ends"),
    **each(missing(SMALLER), "special_tokens tokens added_tokens_overrides"),
    **each(off(SMALLER), "resize_token_embeddings_to_32x mean_resizing_embeddings shrink_embeddings "
           "fix_untrained_tokens"),
}  # fmt: skip

ADAPT: Mapping[str, Rule] = {
    "adapter": adapter,
    **LORA.rules(),
    "lora_target_linear": all_linear,
    "lora_dropout": off("no dropout: early stop on dev guards against learning by heart"),
    "lora_modules_to_save": missing("embeddings and output layer stay as they are: adapt.targets takes linear layers"),
    "lora_target_parameters": missing("adapt.targets names linear layers"),
    "lora_fan_in_fan_out": off("for models that store their matrices the other way round"),
    "lora_model_dir": missing("training starts with a new adapter: merge the old one and name the result as model"),
    **each(missing("the adapter lies in all layers; peft's options can stand under adapt: {type: peft, config: …}"),
           "peft_layers_to_transform peft_layers_pattern peft_layer_replication peft_init_lora_weights "
           "peft_trainable_token_indices"),
    **each(ignored("what trains is always float32; tied weights stay tied"),
           "peft_ensure_weight_tying peft_autocast_adapter_dtype embeddings_skip_upcast"),
    **each(off("one learning rate for all"),
           "loraplus_lr_ratio loraplus_lr_embedding embedding_lr embedding_lr_scale lr_groups"),
    **each(off("the adapter trains in one go"),
           "relora relora_steps relora_warmup_steps relora_anneal_steps relora_prune_ratio relora_prune_method "
           "relora_cpu_offload jagged_restart_steps jagged_restart_warmup_steps jagged_restart_anneal_steps"),
    **each(missing("the last layers alone: adapt: {type: freeze, layers: N}"),
           "unfrozen_parameters lisa_n_layers lisa_step_interval lisa_layers_attribute"),
    **each(SPEED, "lora_mlp_kernel lora_qkv_kernel lora_o_kernel lora_embedding_kernel lora_on_cpu "
           "qlora_sharded_model_loading"),
    **each(ignored("the merged model is written at the end of a run (export)"), "merge_lora merge_method"),
}  # fmt: skip

OBJECTIVE: Mapping[str, Rule] = {
    "rl": method,
    **each(for_preferences("objective.beta"), "rl_beta dpo_beta"),
    "dpo_label_smoothing": for_preferences("objective.label_smoothing"),
    "precompute_ref_log_probs": reference,
    "dpo_loss_type": loss_types,
    **each(missing("one loss, DPO's own"), "dpo_loss_weights"),
    **each(off("pairs count alike, and no other loss is added"), "dpo_use_weighting dpo_norm_loss rpo_alpha"),
    **each(SPEED, "dpo_use_logits_to_keep dpo_use_liger_kernel dpo_padding_free"),
    "dpo_generate_during_eval": NO_SAMPLES,
    **each(off(no_objective("a reward model"), blocks=True), "reward_model process_reward_model"),
    **each(ignored("belongs to a method that `rl` names"),
           "orpo_alpha simpo_gamma cpo_alpha kto_desirable_weight kto_undesirable_weight center_rewards_coefficient "
           "trl vllm ebft max_prompt_len"),
    "num_labels": off("for models that classify by a layer of their own"),
    **each(off(OTHER_LOSS, blocks=True), "use_eaft use_dft"),
    **each(ignored("belongs to a loss that is switched on elsewhere"), "eaft_alpha eaft_k"),
    "train_on_inputs": off("the answers alone are learnt"),
}  # fmt: skip

TRAIN: Mapping[str, Rule] = {
    **hf_trainer.some(
        "max_steps learning_rate weight_decay max_grad_norm adam_beta1 adam_beta2 adam_epsilon neftune_noise_alpha "
        "seed eval_steps eval_strategy evaluation_strategy save_steps save_strategy save_total_limit save_only_model "
        "save_safetensors early_stopping_patience load_best_model_at_end metric_for_best_model greater_is_better "
        "resume_from_checkpoint output_dir torch_compile torch_compile_backend torch_compile_mode "
        "gradient_checkpointing gradient_checkpointing_kwargs tf32 optim_args optim_target_modules "
        "dataloader_pin_memory dataloader_num_workers dataloader_prefetch_factor dataloader_drop_last "
        "remove_unused_columns group_by_length accelerator_config auto_find_batch_size"
    ),
    **BATCH.rules(),
    **Warmup(scheduler="lr_scheduler").rules(),
    "num_epochs": to("train.epochs", number),
    "lr_scheduler": scheduler,
    "cosine_min_lr_ratio": least_rate,
    **each(off(f"the rate {FLOOR}"), "lr_scheduler_kwargs lr_quadratic_warmup cosine_constant_lr_ratio lr_div_factor"),
    "optimizer": optimiser,
    "torchdistx_path": SPEED,
    **each(missing("AdamW alone, with one β of each kind"), "adam_beta3 adam_epsilon2"),
    "noisy_embedding_alpha": off("no noise on the embeddings"),
    "evals_per_epoch": one_of("train.evaluate_every", {"3": "auto"}, hf_trainer.EVERY_MEASUREMENT),
    "saves_per_epoch": hf_trainer.TABLE["save_strategy"],
    "save_first_step": hf_trainer.TABLE["save_strategy"],
    "auto_resume_from_checkpoints": ignored("a run goes on by the same command again"),
    **each(ignored("a loss that is not finite stops the run; one that rises on dev ends it early"),
           "loss_watchdog_threshold loss_watchdog_patience"),
    "sample_packing": ignored("rows are packed in any case, and never see each other"),
    **each(SPEED, "eval_batch_size sample_packing_group_size sample_packing_bin_size "
           "sample_packing_sequentially sample_packing_mp_start_method sample_packing_eff_est eval_sample_packing "
           "pad_to_sequence_len pad_to_multiple_of batch_flattening multipack_real_batches "
           "pretrain_multipack_buffer_size streaming_multipack_buffer_size pretrain_multipack_attn "
           "pretraining_sample_concatenation flash_attention xformers_attention sdp_attention flex_attention "
           "flex_attn_compile_kwargs eager_attention sage_attention attn_implementation flash_attn_cross_entropy "
           "flash_attn_rms_norm flash_attn_fuse_qkv flash_attn_fuse_mlp flash_optimum unsloth_cross_entropy_loss "
           "unsloth_lora_mlp unsloth_lora_qkv unsloth_lora_o unsloth_rms_norm unsloth_rope chunked_cross_entropy "
           "chunked_cross_entropy_num_chunks tiled_mlp tiled_mlp_num_shards tiled_mlp_use_original_mlp "
           "activation_offloading layer_offloading gc_steps use_kernels low_cpu_mem_usage max_memory gpu_memory_limit "
           "device device_map experimental_skip_move_to_device experts_implementation quantize_moe_experts "
           "llama4_linearized_experts gemma4_hybrid_attn_impl dynamic_checkpoint liger_rope liger_rms_norm "
           "liger_layer_norm liger_glu_activation liger_fused_linear_cross_entropy liger_cross_entropy "
           "cut_cross_entropy ddp ddp_timeout ddp_bucket_cap_mb ddp_broadcast_buffers ddp_find_unused_parameters "
           "local_rank"),
    **each(off("attention is the model's own"), "s2_attention scaling_softmax scaling_softmax_factor "
           "scaling_softmax_bias use_pose pose_split_on_token_ids pose_max_context_len pose_num_chunks"),
    **each(PROCESSES, "deepspeed deepcompile fsdp fsdp_config fsdp_version fsdp_final_state_dict_type dp_shard_size "
           "dp_replicate_size sequence_parallel_degree context_parallel_size tensor_parallel_size heads_k_stride "
           "ring_attn_func use_ray ray_run_name ray_num_workers resources_per_worker"),
    "world_size": world,
    "curriculum_sampling": off("rows come in random order"),
}  # fmt: skip

REST: Mapping[str, Rule] = {
    "val_set_size": dev_share,
    **axolotl_data.TABLE,
    **each(LOADING, "dataset_prepared_path skip_prepare_dataset num_dataset_shards_to_save dataset_processes "
           "dataset_num_proc dataset_keep_in_memory streaming preprocess_iterable is_preprocess total_num_tokens "
           "total_supervised_tokens axolotl_config_path"),
    **each(LOGGING, "wandb_project wandb_entity wandb_watch wandb_name wandb_run_id wandb_log_model wandb_mode "
           "use_wandb use_mlflow mlflow_tracking_uri mlflow_experiment_name mlflow_run_name hf_mlflow_log_artifacts "
           "use_comet comet_api_key comet_workspace comet_project_name comet_experiment_key comet_mode comet_online "
           "comet_experiment_config use_trackio trackio_project_name trackio_run_name trackio_space_id "
           "use_otel_metrics otel_metrics_host otel_metrics_port use_tensorboard logging_steps logging_dir "
           "profiler_steps profiler_steps_start include_tokens_per_second include_tkps debug strict gradio_title "
           "gradio_share gradio_server_name gradio_server_port gradio_max_new_tokens gradio_temperature"),
    **each(UPLOAD, "hub_model_id hub_strategy hub_revision push_dataset_to_hub hf_use_auth_token"),
    **each(NO_SAMPLES, "eval_table_size eval_max_new_tokens generate_samples num_generation_samples "
           "generation_max_new_tokens generation_temperature generation_top_p generation_top_k generation_do_sample "
           "generation_prompt_ratio"),
    **each(ignored("the verdict compares with the base model on test, and checks its memory"),
           "do_causal_lm_eval eval_causal_lm_metrics do_bench_eval bench_dataset bench_split"),
    **each(missing("plugins are code: none is run"),
           "plugins trainer_cls spectrum_top_fraction spectrum_model_name llmcompressor use_scattermoe use_sonicmoe "
           "use_onebitllms kd_ce_alpha kd_alpha kd_temperature"),
    "kd_trainer": off(no_objective("distillation"), blocks=True),
}  # fmt: skip

TABLE: Mapping[str, Rule] = {**MODEL, **ADAPT, **OBJECTIVE, **TRAIN, **REST}


ASSUMPTIONS = (
    Assumption("adapter", "adapt.type", "full", "without an adapter all weights train"),
    *LORA.assumed_targets(),
    Assumption("num_epochs", "train.epochs", epochs_or_steps(1)),
    Assumption("micro_batch_size", "train.rows_per_update", lambda given: given.devices,
               unless=("gradient_accumulation_steps", "batch_size")),
    Assumption("lr_scheduler", "train.schedule", "cosine"),
    Assumption("warmup_steps", "train.warmup", 0.03, unless=("warmup_ratio",)),
    Assumption("sequence_len", "model.context", 512),
)  # fmt: skip


def convert(given: Given, extra: list[Note]) -> Imported:
    """A recipe from an Axolotl configuration. `extra` are notes of what was said besides the file."""
    notes = [*extra, *translate(given, TABLE, TOOL)]
    return finish(TOOL, assume(notes, given, ASSUMPTIONS))
