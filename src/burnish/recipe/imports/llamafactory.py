"""LLaMA-Factory's YAML, with its dataset_info.json → a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.recipe.imports import hf_trainer, llamafactory_data
from burnish.recipe.imports.assemble import Assumption, assume, finish
from burnish.recipe.imports.contract import Given, Imported, Note, Rule
from burnish.recipe.imports.hf_trainer import LOADING, LOGGING, PROCESSES, SPEED, UPLOAD
from burnish.recipe.imports.lora import Lora
from burnish.recipe.imports.rules import each, ignored, missing, off, only, to, translate, unusable
from burnish.recipe.imports.training import (
    BITS,
    Batch,
    dev_share,
    epochs_or_steps,
    given_or,
    is_on,
    no_objective,
    precision,
)
from burnish.recipe.imports.values import number, whole, word

TOOL = "LLaMA-Factory"
OTHER_LOSS = "another loss than that of supervised fine-tuning"
AT_INFERENCE = ignored("for chatting and serving there")
OPTIMISER = off("AdamW trains instead: look at the learning rate, it was meant for another")
OPTIMISER_PART = ignored("belongs to an optimiser that is switched on elsewhere")
OTHER_METHOD = ignored("belongs to a method that `stage` names")
TOKENS = "the whole vocabulary stays as the tokenizer has it"
STAGES = {"sft": "sft", "pt": "sft", "dpo": "dpo"}


def method(given: Given) -> str:
    """lora, oft, freeze or full."""
    return str(given_or(given, "finetuning_type", "lora")).strip().lower()


def stage(given: Given) -> str:
    return str(given_or(given, "stage", "sft")).strip().lower()


def is_packed(given: Given) -> bool:
    return is_on(given, "packing") or is_on(given, "neat_packing")


BATCH = Batch("per_device_train_batch_size", "gradient_accumulation_steps", 8, is_packed)
LORA = Lora(
    "lora_rank", "lora_alpha", "lora_target", "use_dora", "use_rslora", lambda given: method(given) == "lora", 8
)


def objective(key: str, value: Any, given: Given) -> list[Note]:
    """`stage`: pre-training is supervised training on plain text here."""
    name = stage(given)
    if name not in STAGES:
        return [Note(key, value, "missing", no_objective(name), blocks=True)]
    text = "plain text: every token is learnt" if name == "pt" else ""
    return [Note(key, value, "translated", text, {"objective.type": STAGES[name]})]


def adapt(key: str, value: Any, given: Given) -> list[Note]:
    """`finetuning_type`"""
    name = method(given)
    if name == "lora":
        return [Note(key, value, "translated", "", {"adapt.type": LORA.kind(given)})]
    if name in ("full", "freeze"):
        return [Note(key, value, "translated", "", {"adapt.type": name})]
    return [Note(key, value, "missing", "LoRA stands in; peft's methods can stand under adapt: {type: peft, config: …}",
                 {"adapt.type": "lora"})]  # fmt: skip


def frozen_but(key: str, value: Any, given: Given) -> list[Note]:
    """How many of the last layers train; a negative number names the first ones."""
    if method(given) != "freeze":
        return [Note(key, value, "ignored", "belongs to finetuning_type: freeze")]
    try:
        layers = whole(value)
    except ValueError as error:
        return [unusable(key, value, error)]
    if layers <= 0:
        return [Note(key, value, "missing", "only the last layers can train, not the first")]
    return [Note(key, value, "translated", "", {"adapt.layers": layers})]


def for_dpo(target: str) -> Rule:
    """A setting of the preference loss."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        if stage(given) != "dpo":
            return [Note(key, value, "ignored", "no preferences are learnt")]
        return to(target, number)(key, value, given)

    return rule


def loss(key: str, value: Any, given: Given) -> list[Note]:
    """`sigmoid` is DPO's own loss."""
    name = str(value).strip().lower()
    if name == "sigmoid" or stage(given) != "dpo":
        return [Note(key, value, "ignored", "as Burnish does")]
    return [Note(key, value, "missing", no_objective(f"DPO with the loss {name}"), blocks=True)]


def packing(key: str, value: Any, given: Given) -> list[Note]:
    """Packed rows never see each other here."""
    if not is_on(given, key):
        return [Note(key, value, "ignored", "off")]
    if key == "packing" and not is_on(given, "neat_packing"):
        return [Note(key, value, "changed", "rows are packed and never see each other, as with neat_packing")]
    return [Note(key, value, "ignored", "as Burnish does")]


MODEL: Mapping[str, Rule] = {
    "model_name_or_path": to("model.name", word),
    "cutoff_len": to("model.context", whole, "a longer row is dropped, never cut", "changed"),
    **each(missing("training starts with a new adapter: merge the old one and name the result as model_name_or_path"),
           "adapter_name_or_path adapter_folder"),
    **each(ignored("a new adapter is always made"), "create_new_adapter"),
    "model_revision": only("main", otherwise="the newest revision on the hub: name a folder to pin another"),
    **each(ignored("found out from the model's files"), "use_fast_tokenizer"),
    **each(off(TOKENS), "resize_vocab split_special_tokens add_tokens add_special_tokens new_special_tokens_config "
           "init_special_tokens"),
    **each(off("the context is the model's own"), "rope_scaling shift_attn mixture_of_depths moe_aux_loss_coef"),
    "train_from_scratch": off("training starts from the model's weights"),
    **each(SPEED, "flash_attn use_unsloth use_unsloth_gc enable_liger_kernel disable_gradient_checkpointing "
           "use_reentrant_gc upcast_layernorm upcast_lmhead_output use_v1_kernels use_kv_cache low_cpu_mem_usage "
           "cache_dir offload_folder print_param_status use_kt kt_weight_path kt_expert_checkpoint_path "
           "kt_use_lora_experts kt_lora_expert_num kt_lora_expert_intermediate_size"),
    **each(UPLOAD, "hf_hub_token ms_hub_token om_hub_token export_hub_model_id"),
    "quantization_bit": off(BITS, "changed"),
    **each(missing(BITS), "quantization_method quantization_type double_quantization quantization_device_map"),
    **each(off("computing in 8 bits is not supported"), "fp8 fp8_backend fp8_enable_fsdp_float8_all_gather"),
    "pure_bf16": precision,
    **each(missing("images and sound cannot be learnt"),
           "image_max_pixels image_min_pixels image_do_pan_and_scan crop_to_patches video_max_pixels "
           "video_min_pixels video_fps video_maxlen use_audio_in_video audio_sampling_rate media_dir"),
    **each(ignored("models for images are not trained"),
           "freeze_vision_tower freeze_multi_modal_projector freeze_language_model"),
    **each(ignored("the recipe's export names the forms; each lies in the run's folder"),
           "export_dir export_size export_device export_quantization_bit export_quantization_dataset "
           "export_quantization_nsamples export_quantization_maxlen export_legacy_format"),
    **each(AT_INFERENCE, "infer_backend infer_dtype vllm_maxlen vllm_gpu_util vllm_enforce_eager vllm_max_lora_rank "
           "vllm_config sglang_maxlen sglang_mem_fraction sglang_tp_size sglang_config sglang_lora_backend do_sample "
           "temperature top_p top_k num_beams eval_num_beams max_length repetition_penalty length_penalty "
           "skip_special_tokens generation_max_length generation_num_beams generation_config sortish_sampler"),
    "max_new_tokens": to("evaluate.max_new_tokens", whole),
}  # fmt: skip

ADAPT: Mapping[str, Rule] = {
    "finetuning_type": adapt,
    **LORA.rules(),
    "lora_dropout": off("no dropout: early stop on dev guards against learning by heart"),
    "additional_target": missing("embeddings and output layer stay as they are: adapt.targets takes linear layers"),
    **each(off("one learning rate for all"), "loraplus_lr_ratio loraplus_lr_embedding"),
    **each(off("adapters start at zero; peft's options can stand under adapt: {type: peft, config: …}"),
           "pissa_init pissa_iter pissa_convert"),
    **each(ignored("belongs to finetuning_type: oft"), "module_dropout oft_rank oft_block_size oft_target"),
    "freeze_trainable_layers": frozen_but,
    "freeze_trainable_modules": only("all", otherwise="all matrices of a layer train, or none"),
    "freeze_extra_modules": missing("embeddings and output layer stay as they are"),
    "use_llama_pro": off("the last layers train; no layers are added"),
}  # fmt: skip

OBJECTIVE: Mapping[str, Rule] = {
    "stage": objective,
    "pref_beta": for_dpo("objective.beta"),
    "dpo_label_smoothing": for_dpo("objective.label_smoothing"),
    "pref_loss": loss,
    **each(off("no other loss is added to DPO's"), "pref_ftx pref_bco_weight ld_alpha"),
    **each(OTHER_METHOD,
           "kto_chosen_weight kto_rejected_weight simpo_gamma ppo_buffer_size ppo_epochs ppo_score_norm ppo_target "
           "ppo_whiten_rewards reward_model reward_model_adapters reward_model_quantization_bit reward_model_type"),
    **each(missing("the reference is the model before training"),
           "ref_model ref_model_adapters ref_model_quantization_bit"),
    **each(off(OTHER_LOSS, blocks=True), "use_dft_loss use_asft_loss use_eaft_loss"),
    **each(ignored("belongs to a loss that is switched on elsewhere"), "asft_alpha eaft_alpha"),
    "train_on_prompt": off("the answers alone are learnt"),
    "mask_history": off("all answers of a conversation are learnt"),
    "ignore_pad_token_for_loss": only(True, otherwise="there is no padding"),
}  # fmt: skip

TRAIN: Mapping[str, Rule] = {
    **hf_trainer.TABLE,
    **BATCH.rules(),
    **each(OPTIMISER, "use_galore use_apollo use_badam use_adam_mini use_muon"),
    **each(OPTIMISER_PART,
           "galore_target galore_rank galore_update_interval galore_scale galore_proj_type galore_layerwise "
           "apollo_target apollo_rank apollo_update_interval apollo_scale apollo_proj apollo_proj_type "
           "apollo_scale_type apollo_layerwise apollo_scale_front badam_mode badam_start_block badam_switch_mode "
           "badam_switch_interval badam_update_ratio badam_mask_mode badam_verbose"),
    "early_stopping_steps": to("train.patience", whole, "measurements on dev without a better one"),
    "disable_shuffling": off("rows come in random order"),
    **each(packing, "packing neat_packing"),
    **each(PROCESSES, "use_mca use_hyper_parallel hyper_parallel_args ray_run_name ray_storage_path "
           "ray_storage_filesystem ray_num_workers resources_per_worker placement_strategy ray_init_kwargs "
           "master_addr master_port"),
    **each(LOGGING, "plot_loss compute_accuracy include_effective_tokens_per_second use_swanlab swanlab_project "
           "swanlab_workspace swanlab_run_name swanlab_mode swanlab_api_key swanlab_logdir swanlab_lark_webhook_url "
           "swanlab_lark_secret enable_torch_profiler profiler_output_dir profiler_wait_steps profiler_warmup_steps "
           "profiler_active_steps profiler_repeat profiler_record_shapes profiler_profile_memory profiler_with_stack "
           "profile_modules"),
}  # fmt: skip

DATA: Mapping[str, Rule] = {
    **llamafactory_data.TABLE,
    "val_size": dev_share,
    "template": only("", otherwise="the model's own chat template is used", outcome="changed"),
    "default_system": missing("write a system message into the rows (a column `system`)"),
    "tool_format": missing("tools are written as the model's own chat template does"),
    **each(missing("reasoning is not learnt apart"), "enable_thinking preserve_thinking"),
    **each(LOADING, "streaming buffer_size overwrite_cache preprocessing_batch_size preprocessing_num_workers "
           "tokenized_path data_shared_file_system"),
    "mix_strategy": only("concat", otherwise="files are joined: every row counts once"),
    "interleave_probs": missing("files are joined: every row counts once"),
    "eval_on_each_dataset": off("dev is one file"),
}  # fmt: skip

TABLE: Mapping[str, Rule] = {**MODEL, **ADAPT, **OBJECTIVE, **TRAIN, **DATA}


ASSUMPTIONS = (
    *LORA.assumptions(),
    Assumption("freeze_trainable_layers", "adapt.layers", lambda given: 2 if method(given) == "freeze" else None),
    Assumption("num_train_epochs", "train.epochs", epochs_or_steps(3)),
    Assumption(
        "per_device_train_batch_size",
        "train.rows_per_update",
        lambda given: 8 * given.devices,
        unless=("gradient_accumulation_steps",),
    ),
    Assumption("learning_rate", "train.learning_rate", 5e-5),
    Assumption("lr_scheduler_type", "train.schedule", "linear"),
    Assumption("warmup_steps", "train.warmup", 0, unless=("warmup_ratio",)),
    Assumption("cutoff_len", "model.context", 2048),
)


def convert(given: Given, extra: list[Note]) -> Imported:
    """A recipe from a LLaMA-Factory configuration; `beside` is its dataset_info.json.

    `extra` are notes of what was said besides the file. Raises RecipeError: that description is needed and not there.
    """
    notes = [*extra, *translate(given, TABLE, TOOL)]
    return finish(TOOL, assume(notes, given, ASSUMPTIONS))
