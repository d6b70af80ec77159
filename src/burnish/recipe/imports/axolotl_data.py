"""Axolotl's `datasets:` → data.train and how its rows are laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from burnish.recipe.imports.contract import Given, Note, Rule
from burnish.recipe.imports.datasets import ROLES, SPELLINGS, SYSTEMS, TURNS, entries, place
from burnish.recipe.imports.rules import AS_HERE, below, each, ignored, missing, off, only, translate, unusable
from burnish.recipe.imports.values import is_blank, words

ALPACA = "asked in the model's own chat template, without Alpaca's preamble"
OWN_TEMPLATE = "asked in the model's own chat template"
RENAME = "write the rows as prompt, chosen and rejected"
NO_SYSTEM = "a system message stands in the column `system` or `system_prompt`: rename it"
PLACE = re.compile(r"\{(instruction|input|system)\}")

ALPACA_LAYOUT = {"data.format": "alpaca"}
PAIRS = {"data.format": "preference"}

# type → recipe keys; the columns are those that Axolotl's documentation names
LAYOUTS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("alpaca", "alpaca_chat", "gpteacher", "alpaca_chat.load_concise"), ALPACA_LAYOUT),
    "alpaca_chat.load_qa": {"data.prompt": "question", "data.completion": "answer"},
    "alpaca_chat.load_camel_ai": {"data.prompt": "message_1", "data.completion": "message_2"},
    "alpaca_w_system": ALPACA_LAYOUT,
    "alpaca_w_system.load_open_orca": {"data.prompt": "question", "data.completion": "response"},
    "jeopardy": {"data.prompt": "question", "data.completion": "answer"},
    "oasst": {"data.prompt": "INSTRUCTION", "data.completion": "RESPONSE"},
    "summarizetldr": {"data.prompt": "article", "data.completion": "summary"},
    "context_qa": {"data.template": "{article}\n\n{question}", "data.completion": "answer"},
    "context_qa.load_v2": {"data.template": "{context}\n\n{question}", "data.completion": "answer"},
    "metharme": {"data.prompt": "prompt", "data.completion": "generation"},
    "completion": {"data.format": "text"},
    "pretrain": {"data.format": "text"},
    "sharegpt": {"data.format": "sharegpt"},
    "sharegpt.load_role": {"data.format": "messages"},
    **dict.fromkeys(("intel", "icr", "prompt_pairs", "ultra", "argilla_chat", "default"), PAIRS),
    "argilla": {
        "data.prompt": "instruction",
        "data.completion": "chosen_response",
        "data.rejected": "rejected_response",
    },
}
PREFERENCE_STYLES = ("chatml", "llama3", "chat_template", "passthrough", "gemma")


def spelling(entry: Mapping[str, Any]) -> str | None:
    """messages or sharegpt, by the names of the properties of a message; None for others."""
    mapping = entry.get("message_property_mappings") or {}
    role = mapping.get("role") or entry.get("message_field_role") or "role"
    content = mapping.get("content") or entry.get("message_field_content") or "content"
    return SPELLINGS.get((role, content))


def layout(key: str, value: Any, given: Given) -> list[Note]:
    """`type`: a name, or a mapping of columns and formats."""
    if isinstance(value, dict):
        return below(key, own_columns(value))
    name = str(value).strip().split(":")[0]
    if name == "chat_template":
        return spelled(key, value, given)
    head, _, tail = name.partition(".")
    found = LAYOUTS.get(name) or (LAYOUTS.get(tail) if head in PREFERENCE_STYLES else None)
    if found is None:
        text = RENAME if head in PREFERENCE_STYLES or head == "zephyr" else "the layout is recognised by the rows' keys"
        return [Note(key, value, "missing", text)]
    if found == {"data.format": "text"}:
        return [Note(key, value, "translated", "every token is learnt", found)]
    text = ALPACA if name.startswith(("alpaca", "gpteacher")) else OWN_TEMPLATE
    return [Note(key, value, "changed", text, found)]


def spelled(key: str, value: Any, given: Given) -> list[Note]:
    """Messages, in one of the two spellings that are read."""
    found = spelling(given.values)
    if found is None:
        return [Note(key, value, "missing", "messages hold role and content, or from and value: rename them")]
    return [Note(key, value, "translated", "", {"data.format": found})]


def turns_column(key: str, value: Any, given: Given) -> list[Note]:
    """Turns are found by the name of their column."""
    return only(*TURNS, otherwise="turns are found under messages, conversations or conversation: rename the column")(
        key, value, given
    )


def roles(key: str, value: Any, given: Given) -> list[Note]:
    """Names of speakers."""
    try:
        names = [name for listed in value.values() for name in words(listed)] if isinstance(value, dict) else None
    except ValueError as error:
        return [unusable(key, value, error)]
    if names is not None and all(name.lower() in ROLES for name in names):
        return [Note(key, value, "ignored", AS_HERE)]
    return [Note(key, value, "missing", "only user, human, assistant, gpt, system, tool and their like: rename")]


def trained_roles(key: str, value: Any, given: Given) -> list[Note]:
    """Whose turns are learnt."""
    listed = value if isinstance(value, list) else [value]
    same = all(str(one).lower() in ("assistant", "gpt", "model") for one in listed)
    return [Note(key, value, "ignored", AS_HERE) if same else Note(key, value, "missing", "the answers are learnt")]


def own_columns(value: Mapping[str, Any]) -> list[Note]:
    """A user-defined type: columns of a question and an answer, or of a preference."""
    given = Given(value)
    return translate(given, PREFERENCE_COLUMNS if "field_chosen" in value else OWN_COLUMNS, "Axolotl's dataset types")


def own_prompt(value: Mapping[str, Any]) -> dict[str, str]:
    """data.prompt for one column; data.template where a format joins several."""
    columns = {"instruction": str(value.get("field_instruction") or "instruction"),
               "input": str(value.get("field_input") or "input"),
               "system": str(value.get("field_system") or "system")}  # fmt: skip
    written = value.get("format")
    default = "{instruction}\n{input}" if not is_blank(value.get("field_input")) else "{instruction}"
    pattern = written if isinstance(written, str) and written else default
    if pattern == "{instruction}":
        return {"data.prompt": columns["instruction"]}
    parts = PLACE.split(pattern)  # text, name, text, name, …
    texts = [columns[part] if index % 2 else part.replace("{", "{{").replace("}", "}}")
             for index, part in enumerate(parts)]  # fmt: skip
    return {"data.template": "".join(f"{{{text}}}" if index % 2 else text for index, text in enumerate(texts))}


def prompt_part(key: str, value: Any, given: Given) -> list[Note]:
    """One of the keys that make up the prompt."""
    return [Note(key, value, "changed", "the prompt, " + OWN_TEMPLATE, own_prompt(given.values))]


def column(target: str) -> Rule:
    """A column under a name of its own."""
    return lambda key, value, given: [Note(key, value, "translated", "", {target: str(value)})]


OWN_COLUMNS: Mapping[str, Rule] = {
    **each(prompt_part, "field_instruction field_input format"),
    "field_output": column("data.completion"),
    "field_system": only(*SYSTEMS, otherwise=NO_SYSTEM),
    "no_input_format": missing("one template for all rows"),
    **each(missing("write a system message into the rows (a column `system`)"), "system_prompt system_format"),
    **each(missing("the prompt is recognised or named by data.prompt"), "field field_completion"),
}
PREFERENCE_COLUMNS: Mapping[str, Rule] = {
    "field_prompt": column("data.prompt"),
    "field_chosen": column("data.completion"),
    "field_rejected": column("data.rejected"),
    "field_system": OWN_COLUMNS["field_system"],
    "prompt_format": only("{prompt}", otherwise=OWN_TEMPLATE, outcome="changed"),
    "chosen_format": only("{chosen}", otherwise=OWN_TEMPLATE, outcome="changed"),
    "rejected_format": only("{rejected}", otherwise=OWN_TEMPLATE, outcome="changed"),
}


def entry_table(part: str) -> Mapping[str, Rule]:
    """The keys of one dataset."""
    return {
        "path": place(part),
        "data_files": place(part),
        "type": layout,
        "ds_type": ignored("a file's kind is found out from the file"),
        **each(spelled, "message_property_mappings message_field_role message_field_content"),
        "field_messages": turns_column,
        "field": only("text", otherwise="a text stands in the column `text`: rename it"),
        "roles": roles,
        "roles_to_train": trained_roles,
        "train_on_eos": only("turn", otherwise="the end of each learnt turn is learnt"),
        "split": only("train", otherwise="whole files are read: data.rows takes a part of them"),
        "chat_template": only("tokenizer_default", otherwise="the model's own is used", outcome="changed"),
        "conversation": missing("the model's own chat template is used"),
        "chat_template_jinja": missing("the model's own chat template is used"),
        **each(missing("a part of a hub's dataset cannot be named"), "name revision"),
        **each(missing("whole files are read: data.rows takes a part of them"), "shards shards_idx repeats skip"),
        **each(ignored("speed there"), "preprocess_shards"),
        **each(off("no code of a data repository is ever run"), "trust_remote_code"),
        **each(missing("columns are found by their names, or named by data.prompt and data.completion"),
               "field_human field_model text_column input_format input_transform"),
        **each(only("chosen", "rejected", otherwise=RENAME), "field_chosen field_rejected"),
        **each(missing("all answers of a conversation are learnt"),
               "message_field_training message_field_training_detail"),
        "field_tools": only("tools", "functions", otherwise="tools stand in the column `tools`: rename it"),
        **each(missing("reasoning is not learnt apart"), "field_thinking template_thinking_key split_thinking"),
        "drop_system_message": off("a system message is read as it stands"),
        **each(missing("for distillation"), "logprobs_field temperature"),
        **each(missing("for reward models"), "step_separator max_completion_length train_on_last_step_only"),
        **each(missing("rows of random tokens, to measure speed"),
               "length sequence_length min_input_id max_input_id seed"),
    }  # fmt: skip


TABLE: Mapping[str, Rule] = {
    "datasets": entries(entry_table, "data.train"),
    "pretraining_dataset": entries(entry_table, "data.train"),
    "test_datasets": entries(entry_table, "data.dev"),
    "shuffle_merged_datasets": only(True, otherwise="rows come in random order"),
    "shuffle_before_merging_datasets": ignored("rows come in random order"),
    "dataset_exact_deduplication": only(True, otherwise="exact duplicates are always dropped", outcome="changed"),
    **each(missing("whole files are read: data.rows takes a part of them"), "dataset_shard_num dataset_shard_idx"),
    "min_sample_len": off("short rows are kept"),
    "max_packed_sequence_len": off("the context bounds a row"),
}
