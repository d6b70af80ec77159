"""A model folder as transformers 4 reads it, for programs that have not come to 5 yet.

Version 5 writes a tokenizer's class and its further special tokens under names that 4 refuses, and the turning of
positions under one that 4 passes over in silence. Both versions read what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burnish.core.files import read_json, write_json

TOKENIZER_CLASS = "PreTrainedTokenizerFast"  # tokenizer.json holds the whole tokenizer: no other class adds to it
INPUTS = ["input_ids", "attention_mask"]  # that class of 4 would add token_type_ids, which no decoder takes
FURTHER = "extra_special_tokens"


def rewrite_folder(folder: Path) -> None:
    """Changes config.json and tokenizer_config.json of a folder that transformers 5 wrote."""
    for name, spelt in (("config.json", older_config), ("tokenizer_config.json", older_tokenizer)):
        write_json(folder / name, spelt(read_json(folder / name)))


def older_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """`rope_parameters` as rope_theta, rope_scaling, partial_rotary_factor and, where layers with a window turn by
    another, rope_local_base_freq."""
    kept = {key: value for key, value in config.items() if key != "rope_parameters"}
    parameters = config.get("rope_parameters") or {}
    whole = parameters.get("full_attention", parameters)
    if not whole:
        return kept
    scaling = {key: value for key, value in whole.items() if key not in ("rope_theta", "partial_rotary_factor")}
    kept["rope_scaling"] = None if scaling.get("rope_type", "default") == "default" else scaling
    kept |= {key: whole[key] for key in ("rope_theta", "partial_rotary_factor") if key in whole}
    local = parameters.get("sliding_attention", {})
    return kept | ({"rope_local_base_freq": local["rope_theta"]} if "rope_theta" in local else {})


def older_tokenizer(config: Mapping[str, Any]) -> dict[str, Any]:
    """The class that both versions have, and the list of further special tokens under its older name."""
    kept = {key: value for key, value in config.items() if key not in ("backend", FURTHER)}
    further = config.get(FURTHER)
    if isinstance(further, list):
        kept["additional_special_tokens"] = further
    elif further:
        kept[FURTHER] = further
    return {"model_input_names": INPUTS, **kept, "tokenizer_class": TOKENIZER_CLASS}
