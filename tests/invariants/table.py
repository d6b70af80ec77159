"""The invariants: what must hold of every training run, the bug in public tools behind each, and the tests that hold
it. `python -m tests.invariants.table` writes docs/invariants.md from this; a test compares the two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "invariants.md"


@dataclass(frozen=True)
class Invariant:
    """`tests`: file (below tests/) :: function. `missing`: what of the statement nothing holds yet."""

    number: int
    statement: str
    guards: str
    tests: tuple[str, ...] = ()
    missing: str = ""

    @property
    def state(self) -> Literal["holds", "in part", "not yet"]:
        """Follows from what is there."""
        if not self.tests:
            return "not yet"
        return "in part" if self.missing else "holds"


def _in(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{file}::test_{name}" for name in names)


GRADIENTS = "invariants/test_gradients.py"
FORESTS = "invariants/test_forests.py"
TEMPLATES = "invariants/test_templates.py"
ADAPTERS = "invariants/test_adapters.py"
STEPS = "invariants/test_steps.py"
PAIRS = "invariants/test_pairs.py"
LOOP = "unit/train/test_loop.py"
DPO = "unit/objectives/test_dpo.py"
PEFT = "parity/test_lora_peft.py"
FORECAST = "unit/deploy/test_forecast.py"
PREPARE = "unit/data/test_prepare.py"
NEW_ROWS = "unit/adapt/test_token_rows.py"
FURTHER = "unit/adapt/test_further.py"
ENGINE = "unit/generate/test_engine.py"

INVARIANTS = (
    Invariant(
        1,
        "The gradient is that of all rows at once, however many passes they are computed in (1e-9, float64)",
        "losses averaged per micro-batch (transformers PR 34191, unsloth 1134)",
        _in(GRADIENTS, "packing_sharing_passes_and_ranks_leave_the_gradient_as_it_is")
        + _in(LOOP, "packing_and_accumulation_leave_the_gradient_as_it_is"),
    ),
    Invariant(
        2,
        "So it is over {separate rows, packed, shared beginnings} × {1, 2, 3 ranks} × {1, 3, 8 passes}",
        "the same under packing and unequal ranks (unsloth-zoo 1023, axolotl 2262)",
        _in(GRADIENTS, "packing_sharing_passes_and_ranks_leave_the_gradient_as_it_is")
        + _in(PAIRS, "pairs_a_pass_and_ranks_leave_the_gradient_as_it_is"),
    ),
    Invariant(
        3,
        "A token of one packed row changes no bit of another; packed losses are the sum of single ones",
        "packing leaks (trl 1230, functionary 265, nanoVLM 204)",
        _in(
            FORESTS,
            "a_token_changes_no_logit_of_another_packed_row_by_one_bit",
            "the_loss_of_packed_rows_is_the_sum_of_their_losses",
            "no_row_is_asked_for_the_first_token_of_the_next_and_positions_start_anew",
        )
        + _in("unit/model/test_attention.py", "a_token_changes_nothing_in_other_rows_to_the_last_bit"),
    ),
    Invariant(
        4,
        "Every answer ends in a learnt token at which generation stops; a trained model stops (99 % of 200)",
        "an end that is never learnt (trl 1623, 734, unsloth 416)",
        _in(TEMPLATES, "every_answer_ends_in_a_learnt_token_at_which_generation_stops")
        + _in("invariants/test_stops.py", "a_trained_model_ends_its_answers"),
    ),
    Invariant(
        5,
        "Training reads the ids that serving reads, with one BOS where the template writes one (12 templates × 50)",
        "a second or a lost BOS (open-r1 462, vllm 27517, unsloth 10312)",
        _in(TEMPLATES, "training_reads_the_ids_that_serving_reads", "plain_text_has_one_beginning_and_one_end")
        + _in("parity/test_rendering.py", "ids_equal_the_chat_templates"),
    ),
    Invariant(
        6,
        "What is learnt is the answers' text and their ends; a row that teaches nothing is refused",
        "empty or shifted masks (marin 7237, unsloth 2095, trl PR 4201)",
        _in(
            TEMPLATES,
            "what_is_learnt_of_a_conversation_is_the_answers_and_their_ends",
            "answers_whose_thoughts_serving_would_not_show_are_left_out_and_counted",
            "a_model_whose_template_leaves_nothing_to_learn_is_refused",
        )
        + _in("unit/train/test_guard.py", "rows_with_nothing_to_learn_are_refused_by_name"),
    ),
    Invariant(
        7,
        "Special-token text that a person typed stays text",
        "control tokens from user text",
        _in(TEMPLATES, "special_text_that_a_person_typed_never_becomes_a_special_token")
        + _in("parity/test_rendering.py", "special_text_in_a_message_stays_text"),
    ),
    Invariant(
        8,
        "Trainer, transformers, our server and llama.cpp read the same ids for 50 conversations",
        "templates that differ after export (ollama 6823, unsloth 3899)",
        _in("invariants/test_serving.py", "trainer_transformers_server_and_llama_cpp_read_the_same_ids"),
    ),
    Invariant(
        9,
        "Merged weights answer as base and adapter do; a merge leaves the base as it was to the last bit; what "
        "rounding takes of the tuned effect is forecast, measured, and refused where it is too much",
        "merges that lose the tune (peft 2321, 2586, mlx-tune 15)",
        _in(
            ADAPTERS,
            "merged_weights_answer_as_base_and_adapter_do",
            "after_a_merge_the_base_is_what_it_was_to_the_last_bit",
        )
        + _in(PEFT, "merged_tensors_equal_pefts_merge_and_unload")
        + _in(
            FORECAST,
            "an_update_smaller_than_the_grid_is_forecast_and_measured_as_lost",
            "where_the_lost_effect_was_large_the_form_is_not_kept",
            "an_adapter_of_a_rounded_base_says_what_the_dense_one_changes",
        ),
    ),
    Invariant(
        10,
        "Tied and untied models answer alike before and after they are saved; the flag agrees with the tensors",
        "heads tied again on the way to disk (unsloth 9331, transformers 45127, peft 2777)",
        _in(
            ADAPTERS,
            "a_merged_folder_answers_as_what_was_trained",
            "a_loaded_adapter_answers_as_the_trained_one_and_not_as_the_base",
        )
        + _in(NEW_ROWS, "merged_tables_hold_the_rows_and_no_other_row_has_moved")
        + _in(FURTHER, "a_name_that_matches_nothing_is_refused"),
    ),
    Invariant(
        11,
        "Small updates move every trained tensor; weights that train and their moments are float32",
        "bf16 adapters that swallow updates (VersatIL 5, peft PR 1706)",
        _in(ADAPTERS, "small_updates_move_every_trained_tensor_of_a_bfloat16_model")
        + _in(PEFT, "a_step_changes_every_trainable_tensor_and_no_other"),
    ),
    Invariant(
        12,
        "Nothing to train, no matching matrix, a missing or left-over tensor: refused; a new LoRA is the base",
        "adapters that are not attached (peft 1932, 2566, PR 2118, LlamaFactory 10294)",
        _in(
            ADAPTERS,
            "a_loaded_adapter_answers_as_the_trained_one_and_not_as_the_base",
            "a_new_lora_is_the_base_to_the_last_bit",
            "settings_with_which_nothing_would_train_are_refused",
        )
        + _in(
            PEFT, "an_adapter_that_does_not_fit_is_refused", "a_target_that_is_not_there_is_named_with_those_that_are"
        ),
    ),
    Invariant(
        13,
        "No answer ever comes from another adapter, or from the base for an unknown name",
        "adapters mixed up in the cache (vllm 30931, 34186, llama.cpp 26207)",
        _in("invariants/test_serving.py", "every_answer_is_of_the_adapter_that_its_name_stood_for")
        + _in(
            "unit/generate/test_live.py",
            "adapters_mixed_in_a_batch_answer_as_each_merged_alone",
            "the_base_beside_adapters_is_the_base_to_the_last_bit",
            "an_adapter_that_went_is_not_answered_for",
        ),
    ),
    Invariant(
        14,
        "Rows and prompts of mixed lengths give what each gives alone",
        "padding that is read (transformers 25790, unsloth 3699, trl 6800)",
        _in(
            FORESTS,
            "rows_of_mixed_lengths_give_the_logits_of_each_alone",
            "prompts_of_mixed_lengths_are_answered_as_each_alone",
        )
        + _in(ENGINE, "three_slots_for_ten_requests_give_what_one_by_one_gives")
        + _in("unit/generate/test_score.py", "choices_score_as_if_each_were_read_alone"),
    ),
    Invariant(
        15,
        "Preferences start at ln 2 and margins of 0; log-probabilities are a plain loop's; swapped, the sign turns",
        "wrong truncation, masks or reference (trl PR 2209, trl 6879, NeMo-Aligner 68)",
        _in(
            DPO,
            "at_the_start_every_margin_is_zero_and_every_loss_ln_2",
            "a_strands_log_probability_is_that_of_a_plain_loop",
            "swapping_the_answers_turns_the_sign_of_the_margin",
            "packing_changes_neither_the_sum_nor_the_count",
            "nothing_of_an_answer_is_ever_cut",
        )
        + _in(PAIRS, "the_first_update_of_a_run_has_the_loss_ln_2"),
    ),
    Invariant(
        16,
        "Added tokens keep ids, rows and logits through saving and loading; padded rows are never sampled",
        "new tokens lost or misplaced (peft 1457, 2898, unsloth 237)",
        _in(
            "invariants/test_tokens.py",
            "added_tokens_come_back_in_a_new_process_with_ids_rows_and_logits",
            "a_merged_folder_has_the_tokens_for_plain_transformers",
            "rows_that_only_fill_the_vocabulary_up_are_never_sampled",
        )
        + _in(NEW_ROWS, "rows_start_as_they_were_are_saved_and_loaded_and_go_off", "plain_peft_reads_them_beside_lora")
        + _in("unit/model/test_vocabulary.py", "new_rows_begin_as_the_mean_and_old_ones_stay"),
    ),
    Invariant(
        17,
        "A NaN or infinity in loss or gradient, on one rank only, never reaches the weights and is never averaged away",
        "transformers' logging_nan_inf_filter, trl 6702",
        _in(
            STEPS,
            "a_value_that_is_not_finite_stops_all_ranks_and_the_weights_stay",
            "a_skipped_update_changes_nothing_and_says_so",
            "a_checkpoint_never_holds_a_value_that_is_not_finite",
        )
        + _in(LOOP, "a_loss_on_dev_that_is_not_finite_is_an_error_of_ours_and_nothing_is_saved"),
    ),
    Invariant(
        18,
        "The loss of a toy model with known probabilities is the one worked out by hand (1e-7)",
        "targets shifted twice or not at all (transformers PR 31629)",
        _in(FORESTS, "a_toy_model_with_known_probabilities_has_the_loss_worked_out_by_hand")
        + _in("math/test_objectives.py", "a_rows_loss_is_the_weighted_sum_over_its_learnt_tokens"),
    ),
    Invariant(
        19,
        "The rate is the closed form of the step, whatever the passes and across three resumes",
        "schedules that count micro-steps or begin anew",
        _in(STEPS, "rates_are_those_of_the_steps_whatever_the_passes_and_across_three_resumes")
        + _in("unit/train/test_schedule.py", "the_rate_falls_towards_a_tenth"),
    ),
    Invariant(
        20,
        "Two measurements are equal to the bit and leave no trace; no dropout; what the test asks is not trained on",
        "dropout or data that leak into evaluation",
        _in(
            STEPS,
            "a_measurement_is_the_same_twice_and_leaves_no_trace",
            "a_measurement_does_not_depend_on_what_is_computed_together",
        )
        + _in(ADAPTERS, "dropout_inside_an_adapter_is_refused_and_no_module_is_in_training_mode")
        + _in(PREPARE, "an_own_test_file_is_only_test_and_its_questions_leave_train_and_dev"),
    ),
    Invariant(
        21,
        "Every attention gives the definition's outputs and gradients (1e-9, float64)",
        "backends that change the result",
        _in(
            "unit/model/test_attention.py",
            "attention_equals_its_definition_to_1e9",
            "attention_equals_its_definition_on_random_forests",
        )
        + _in(FORESTS, "a_token_changes_no_logit_of_another_packed_row_by_one_bit"),
        missing="gradient checkpointing and compiled models",
    ),
    Invariant(
        22,
        "Every row is seen once an epoch by exactly one rank, for 1 to 4 ranks",
        "rows dropped, doubled or padded (accelerate 2016, 2823)",
        _in(STEPS, "every_row_is_seen_once_an_epoch_by_exactly_one_rank")
        + _in("unit/train/test_order.py", "an_update_may_span_two_epochs_and_is_always_full"),
    ),
    Invariant(
        23,
        "A row that is too long is left out with its place; no answer is ever cut",
        "truncation that drops the answer",
        _in(STEPS, "a_row_that_is_too_long_is_left_out_with_its_place_and_no_answer_is_ever_cut"),
    ),
    Invariant(
        24,
        "An exported folder gives the same ids and stops in three engines",
        "sampling rules and stop tokens lost at export",
        _in("invariants/test_serving.py", "an_exported_folder_gives_the_same_ids_and_stops_in_three_engines"),
    ),
    Invariant(
        25,
        "The same command writes the same bytes twice: metrics, weights, optimiser, adapter",
        "orders and random numbers that no seed reaches",
        _in("invariants/test_twice.py", "two_processes_write_the_same_bytes")
        + _in(LOOP, "two_runs_are_equal_to_the_last_byte")
        + _in(ADAPTERS, "an_adapter_starts_as_its_seed_says"),
    ),
)


def page() -> str:
    """docs/invariants.md."""
    lines = [
        "# What must hold of every run",
        "",
        "Each line names a bug of public training tools that trains wrongly and says nothing, and the tests that keep",
        "it out of here. `python -m tests.mutations` puts such bugs in on purpose and shows that these tests notice.",
        "Written by `python -m tests.invariants.table`.",
        "",
        "| # | statement | guards against | state | tests |",
        "|---|---|---|---|---|",
    ]
    for one in INVARIANTS:
        state = one.state + (
            f": {one.missing}" if one.state == "not yet" else f", without {one.missing}" if one.missing else ""
        )
        tests = "<br>".join(f"`{test}`" for test in one.tests) or "none"
        lines.append(f"| {one.number} | {one.statement} | {one.guards} | {state} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
