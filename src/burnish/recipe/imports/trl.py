"""A call of TRL on the command line, its YAML, or both → a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from burnish.recipe.imports import hf_trainer
from burnish.recipe.imports.assemble import Assumption, assume, finish
from burnish.recipe.imports.contract import Given, Imported, Note, Rule
from burnish.recipe.imports.datasets import entries, one_file, place
from burnish.recipe.imports.hf_trainer import LOADING, LOGGING, PROCESSES, SPEED
from burnish.recipe.imports.lora import Lora
from burnish.recipe.imports.rules import each, ignored, missing, off, only, to, translate, unusable
from burnish.recipe.imports.training import (
    BITS,
    Batch,
    dev_share,
    devices_note,
    epochs_or_steps,
    is_on,
    no_objective,
    weights_dtype,
)
from burnish.recipe.imports.trl_command import Call
from burnish.recipe.imports.values import number, whole, word, words

TOOL = "TRL"
PART_OF_HUB = missing("a part of a hub's dataset cannot be named")
GENERATES = missing("no answers are generated while training")
REFERENCE = missing("the reference is the model before training")


def method(given: Given) -> str:
    return str(given.beside.get("method", "sft"))


BATCH = Batch("per_device_train_batch_size", "gradient_accumulation_steps", 8, lambda given: is_on(given, "packing"))
LORA = Lora("lora_r", "lora_alpha", "lora_target_modules", "use_dora", "use_rslora",
            lambda given: is_on(given, "use_peft"), 16, 32.0)  # fmt: skip


def use_peft(key: str, value: Any, given: Given) -> list[Note]:
    """LoRA, or all weights."""
    return [Note(key, value, "translated", "", {"adapt.type": LORA.kind(given) if is_on(given, key) else "full"})]


def for_dpo(target: str) -> Rule:
    """A setting of DPO's loss."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        if method(given) != "dpo":
            return [Note(key, value, "missing", f"of no meaning for {method(given)}")]
        return to(target, number)(key, value, given)

    return rule


def loss(key: str, value: Any, given: Given) -> list[Note]:
    """The loss that is each method's own; any other makes another method of it."""
    try:
        names = [name.lower() for name in words(value)]
    except ValueError as error:
        return [unusable(key, value, error)]
    own = {"sft": ("nll", "chunked_nll"), "dpo": ("sigmoid",)}.get(method(given), ())
    if len(names) == 1 and names[0] in own:
        return [Note(key, value, "ignored", "as Burnish does")]
    return [
        Note(key, value, "missing", no_objective(f"{method(given)} with the loss {' + '.join(names)}"), blocks=True)
    ]


def reference(key: str, value: Any, given: Given) -> list[Note]:
    """Asked once for all pairs, or each time."""
    if method(given) != "dpo" or not is_on(given, key):
        return [Note(key, value, "ignored", "off")]
    return [Note(key, value, "translated", "", {"objective.reference": "cached"})]


def entry_table(part: str) -> Mapping[str, Rule]:
    """The keys of one dataset in a mixture."""
    return {
        "path": place(part),
        "data_files": place(part),
        "split": only("train", otherwise="whole files are read: data.rows takes a part of them"),
        **each(PART_OF_HUB, "name data_dir"),
        "columns": ignored("other columns are not read"),
        "fraction": missing("whole files are read: data.rows takes a part of all of them"),
    }


MODEL: Mapping[str, Rule] = {
    "model_name_or_path": to("model.name", word),
    **each(to("model.context", whole, "a longer row is dropped, never cut", "changed"), "max_length max_seq_length"),
    **each(missing("the context bounds prompt and answer together"),
           "max_prompt_length max_completion_length max_target_length"),
    "truncation_mode": ignored("a longer row is dropped, never cut"),
    "model_revision": only("main", otherwise="the newest revision on the hub: name a folder to pin another"),
    **each(weights_dtype, "dtype torch_dtype"),
    **each(missing("the model is read as it stands"), "model_init_kwargs ref_model_init_kwargs model_code_revision"),
    **each(SPEED, "attn_implementation use_flash_attention_2 activation_offloading padding_free pad_to_multiple_of "
           "packing_strategy eval_packing use_logits_to_keep use_liger_loss gradient_checkpointing_use_reentrant "
           "ignore_bias_buffers precompute_ref_batch_size"),
    "packing": ignored("rows are packed in any case, and never see each other"),
    "chat_template_path": missing("the model's own chat template is used"),
    "eos_token": missing("the model's own chat template says how a turn ends"),
    **each(ignored("there is no padding"), "pad_token padding_value label_pad_token_id"),
    "router_aux_loss_coef": off("no loss is added"),
    **each(off(BITS, "changed"), "load_in_8bit load_in_4bit"),
    **each(missing(BITS), "bnb_4bit_quant_type use_bnb_nested_quant bnb_4bit_quant_storage"),
    "use_peft": use_peft,
    **LORA.rules(),
    "lora_dropout": off("no dropout: early stop on dev guards against learning by heart"),
    "lora_modules_to_save": missing("embeddings and output layer stay as they are: adapt.targets takes linear layers"),
    "lora_target_parameters": missing("adapt.targets names linear layers"),
    "lora_task_type": only("CAUSAL_LM", otherwise="models that write text are trained"),
    **each(ignored("the adapter is switched off for the reference"), "model_adapter_name ref_adapter_name"),
}  # fmt: skip

DATA: Mapping[str, Rule] = {
    "dataset_name": one_file("data.train"),
    "datasets": entries(entry_table, "data.train"),
    "dataset_config": PART_OF_HUB,
    "dataset_train_split": only("train", otherwise="whole files are read: name the file of that part"),
    "dataset_test_split": missing(
        "a part of a dataset cannot be named: dev is split off train, or name its file as data.dev"
    ),
    "test_split_size": dev_share,
    "dataset_text_field": only("text", otherwise="a text stands in the column `text`: rename it"),
    **each(LOADING, "dataset_streaming streaming dataset_num_proc dataset_kwargs dataset_batch_size"),
    "shuffle_dataset": ignored("rows come in random order"),
    "tools": missing("tools stand in the rows, in the column `tools`"),
}

OBJECTIVE: Mapping[str, Rule] = {
    "completion_only_loss": only(True, otherwise="the answers alone are learnt"),
    "assistant_only_loss": only(True, otherwise="the answers alone are learnt", outcome="changed"),
    "beta": for_dpo("objective.beta"),
    "label_smoothing": for_dpo("objective.label_smoothing"),
    "loss_type": loss,
    "precompute_ref_log_probs": reference,
    **each(missing("one loss, DPO's own"), "loss_weights f_alpha_divergence_coef discopop_tau"),
    "f_divergence_type": only("reverse_kl", otherwise="DPO's own"),
    "reference_free": off(no_objective("DPO without a reference"), blocks=True),
    **each(off("pairs count alike, and no other loss is added"), "use_weighting rpo_alpha ld_alpha"),
    "disable_dropout": only(True, otherwise="no dropout"),
    **each(off("the reference is the model before training"), "sync_ref_model force_use_ref_model"),
    **each(REFERENCE, "ref_model_mixup_alpha ref_model_sync_steps"),
    "generate_during_eval": ignored("examples of answers stand in the report"),
    "is_encoder_decoder": off("models that write text on from a prompt are trained"),
    **each(missing("belongs to another objective than sft and dpo"),
           "desirable_weight undesirable_weight center_rewards_coefficient simpo_gamma cpo_alpha alpha "
           "teacher_model_name_or_path teacher_model_init_kwargs lmbda seq_kd reward_model_path judge kl_coef "
           "cliprange cliprange_value vf_coef gamma lam num_ppo_epochs whiten_rewards num_mini_batches rloo_k "
           "total_episodes response_length kl_estimator min_density_ratio max_density_ratio prompt_sample_size"),
    **each(GENERATES,
           "num_generations num_generations_eval generation_batch_size steps_per_generation temperature top_p top_k "
           "min_p generation_kwargs chat_template_kwargs repetition_penalty cache_implementation use_vllm vllm_mode "
           "vllm_model_impl vllm_server_base_url vllm_server_host vllm_server_port vllm_server_timeout "
           "vllm_gpu_memory_utilization vllm_max_model_length vllm_tensor_parallel_size vllm_enable_sleep_mode "
           "vllm_importance_sampling_correction vllm_importance_sampling_mode num_iterations epsilon epsilon_high "
           "delta importance_sampling_level reward_funcs reward_weights reward_model_name_or_path scale_rewards "
           "mask_truncated_completions top_entropy_quantile ds3_gather_for_generation max_new_tokens stop_token "
           "missing_eos_penalty reward_clip_range normalize_advantages use_transformers_paged stop_token_id "
           "cast_lm_head_to_fp32 entropy_coef entropy_coef_delta entropy_coef_max entropy_coef_min entropy_target "
           "gpu_memory_utilization local_rollout_forward_batch_size max_tool_calling_iterations normalize_reward "
           "multi_objective_aggregation num_sample_generations off_policy_mask_threshold sapo_temperature_neg "
           "sapo_temperature_pos token_level_kl use_transformers_continuous_batching use_bias_correction_kl "
           "transformers_continuous_batching_config use_adaptive_entropy vespo_k_neg vespo_k_pos vespo_lambda_neg "
           "vespo_lambda_pos vllm_group_port vllm_guided_decoding_regex vllm_structured_outputs_regex "
           "vllm_importance_sampling_cap vllm_importance_sampling_clip_max vllm_importance_sampling_clip_min"),
    **each(LOGGING, "log_completions num_completions_to_print log_unique_prompts wandb_log_unique_prompts exp_name "
           "log_completions_hub_repo log_multimodal base_model_attribute_name"),
}  # fmt: skip

TABLE: Mapping[str, Rule] = {
    **hf_trainer.TABLE,
    **MODEL,
    **DATA,
    **OBJECTIVE,
    **BATCH.rules(),
    "env": ignored("variables of the environment: set them yourself where they matter"),
    "config": ignored("its settings are read"),
}

DEVICES = ("num_processes", "nproc_per_node", "num_gpus")
NODES = ("nnodes", "num_nodes")
LAUNCH: Mapping[str, Rule] = {
    **each(PROCESSES, "config_file accelerate_config use_deepspeed use_fsdp zero_stage deepspeed_config_file "
           "offload_optimizer_device offload_param_device fsdp_version fsdp_offload_params fsdp_sharding_strategy "
           "fsdp_auto_wrap_policy fsdp_transformer_layer_cls_to_wrap fsdp_state_dict_type "
           "fsdp_reshard_after_forward tp_size cp_size"),
    **each(ignored("how processes are started there: burnish run --ranks N"),
           "multi_gpu num_machines machine_rank main_process_ip main_process_port gpu_ids same_network rdzv_backend "
           "rdzv_endpoint rdzv_id rdzv_conf master_addr master_port node_rank standalone include hostfile "
           "num_cpu_threads_per_process max_restarts role tee log_dir quiet cpu"),
    **each(ignored("speed there"), "dynamo_backend dynamo_mode dynamo_use_fullgraph mixed_precision downcast_bf16"),
    **each(ignored("for the tool that starts the program"), "with python active extra"),
}  # fmt: skip

ASSUMPTIONS = (
    Assumption("use_peft", "adapt.type", "full", "without use_peft all weights train"),
    *LORA.assumptions(),
    Assumption("num_train_epochs", "train.epochs", epochs_or_steps(3)),
    Assumption("per_device_train_batch_size", "train.rows_per_update", lambda given: 8 * given.devices,
               unless=("gradient_accumulation_steps",)),
    Assumption("learning_rate", "train.learning_rate", lambda given: 1e-6 if method(given) == "dpo" else 2e-5),
    Assumption("lr_scheduler_type", "train.schedule", "linear"),
    Assumption("warmup_steps", "train.warmup", 0, unless=("warmup_ratio",)),
    Assumption("max_length", "model.context", lambda given: None if "max_length" in given.values else 1024),
)  # fmt: skip


def convert(given: Given, extra: list[Note]) -> Imported:
    """A recipe from options; `beside` holds the method. `extra` are notes of what was said besides them."""
    name = method(given)
    known = name in ("sft", "dpo")
    objective = Note(f"trl {name}", name, "translated" if known else "missing", "" if known else no_objective(name),
                     {"objective.type": name} if known else {}, blocks=not known)  # fmt: skip
    if "objective" in given.beside:  # said by nobody: worked out from the keys
        objective = replace(
            objective, key="the method (not said)", outcome="added", text=str(given.beside["objective"])
        )
    notes = [*extra, objective, *translate(given, TABLE, TOOL)]
    return finish(TOOL, assume(notes, given, ASSUMPTIONS))


TELLING = {
    "grpo": ("num_generations", "reward_funcs"),
    "kto": ("desirable_weight", "undesirable_weight"),
    "reward": ("center_rewards_coefficient",),
    "dpo": ("beta", "label_smoothing", "precompute_ref_log_probs", "rpo_alpha", "f_divergence_type"),
}


def guessed_method(values: Mapping[str, Any]) -> dict[str, str]:
    """The method of a YAML that does not name it, by the keys that only one method has."""
    name = next((name for name, keys in TELLING.items() if any(key in values for key in keys)), "sft")
    text = "by its keys; to settle it, import a text file with the call: trl METHOD --config FILE"
    return {"method": name, "objective": text if name in ("sft", "dpo") else no_objective(name)}


def from_call(call: Call, config: Mapping[str, Any], devices: int | None, extra: list[Note]) -> Imported:
    """A recipe from a call; what it says counts before what its --config file says."""
    names = {key: _full(key) for key in call.options}
    options = {name: (value if _is_plain(key, name) else not value)
               for (key, name), value in zip(names.items(), call.options.values(), strict=True)}  # fmt: skip
    written = {names.get(key, key): shown for key, shown in call.written.items()}
    launch = {**call.launch, **{key: value for key, value in options.items() if _is_launch(key)}}
    values = {**config, **{key: value for key, value in options.items() if key not in launch}}
    given = Given(values, {"method": call.method}, devices or launched(launch))
    overridden = [Note(f"{key} (in the --config file)", config[key], "ignored", "the command line says otherwise")
                  for key in config if key in options]  # fmt: skip
    launcher = {**LAUNCH, **dict.fromkeys((*DEVICES, *NODES), lambda key, value, _: BATCH.rule(key, value, given))}
    around = [
        *(Note(key, value, "ignored", "a variable of the environment: set it yourself where it matters")
          for key, value in call.environment.items()),
        *translate(Given(launch), launcher, "the launchers"),
        *(Note(key, value, "ignored", "not part of the call") for key, value in call.others.items()),
    ]  # fmt: skip
    found = launched(launch) if any(key in launch for key in DEVICES) else None
    done = convert(given, [*extra, *devices_note(devices, found), *around, *overridden])
    return replace(done, notes=tuple(replace(note, key=_shown(note.key, written)) for note in done.notes))


def _full(key: str) -> str:
    """The option that argparse takes a key for: one without its `no_`, or the only one that begins so."""
    known = (*TABLE, *LAUNCH, *DEVICES, *NODES)
    if key in known:
        return key
    if key.removeprefix("no_") in TABLE:
        return key.removeprefix("no_")
    longer = [one for one in known if one.startswith(key)]
    return longer[0] if len(longer) == 1 else key


def _is_plain(key: str, name: str) -> bool:
    """Whether a key is not the denial of an option."""
    return key == name or not key.startswith("no_")


def _is_launch(key: str) -> bool:
    return key not in TABLE and key in (*LAUNCH, *DEVICES, *NODES)


def _shown(key: str, written: Mapping[str, str]) -> str:
    head, dot, rest = key.partition(".")
    return f"{written.get(head, head)}{dot}{rest}"


def launched(launch: Mapping[str, Any]) -> int:
    """Processes that a launcher starts: accelerate counts all of them, torchrun and deepspeed those of a node."""
    try:
        nodes = next((whole(launch[key]) for key in NODES if key in launch), 1)
        return max(1, next((whole(launch[key]) for key in DEVICES if key in launch), 1) * nodes)
    except ValueError:
        return 1
