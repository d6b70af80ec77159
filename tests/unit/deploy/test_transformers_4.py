"""What transformers 5 writes, in the words of 4."""

from __future__ import annotations

from pathlib import Path

from burnish.core.files import read_json
from burnish.deploy.transformers_4 import older_config, older_tokenizer, rewrite_folder
from burnish.model.config import decoder_config
from tests.unit.deploy.models import FAMILIES, write_family


def test_the_turning_of_positions_stands_under_the_older_names() -> None:
    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0}
    older = older_config({"model_type": "llama", "rope_parameters": {"rope_theta": 5e5, **scaling}})
    assert older == {"model_type": "llama", "rope_theta": 5e5, "rope_scaling": scaling}


def test_plain_positions_have_no_scaling_and_a_part_of_a_head_stands_apart() -> None:
    plain = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}
    older = older_config({"rope_parameters": plain})
    assert older == {"rope_theta": 1e4, "partial_rotary_factor": 0.5, "rope_scaling": None}


def test_each_kind_of_layer_keeps_its_own_turning() -> None:
    kinds = {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    }
    older = older_config({"rope_parameters": kinds})
    assert older == {
        "rope_theta": 1e6,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0},
        "rope_local_base_freq": 1e4,
    }


def test_what_was_written_for_4_stays_as_it_is() -> None:
    config = {"model_type": "llama", "rope_theta": 1e5, "rope_scaling": None}
    assert older_config(config) == config


def test_every_family_is_the_same_network_in_both_spellings(tmp_path: Path) -> None:
    for family in FAMILIES:
        if family == "phi3":
            continue  # read as a llama before anything is exported
        config = read_json(write_family(family, tmp_path / family) / "config.json")
        older = older_config(config)
        assert "rope_parameters" in config
        assert "rope_parameters" not in older
        assert decoder_config(older) == decoder_config(config)


def test_a_tokenizer_keeps_its_tokens_under_names_that_4_knows(tmp_path: Path) -> None:
    newer = {"backend": "tokenizers", "tokenizer_class": "TokenizersBackend", "extra_special_tokens": ["<sku>"]}
    assert older_tokenizer(newer) == {
        "tokenizer_class": "PreTrainedTokenizerFast", "additional_special_tokens": ["<sku>"],
        "model_input_names": ["input_ids", "attention_mask"],
    }  # fmt: skip
    folder = write_family("gemma3", tmp_path / "gemma3")
    rewrite_folder(folder)
    written = read_json(folder / "tokenizer_config.json")
    assert written["additional_special_tokens"] == ["<eos>", "<start_of_turn>"]
    assert written["eos_token"] == "<end_of_turn>"
