"""Metadata → configuration: values by hand, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType

from burnish.core.errors import ModelError
from burnish.model.gguf_config import LLAMA3_ROPE, gguf_config, llama3_divisors
from burnish.model.gguf_file import GGUFFile, GGUFTensor


def file(architecture: str = "llama", names: tuple[str, ...] = (), **more: Any) -> GGUFFile:
    """A header as it would have been read: 3 layers, hidden size 64, 4 heads, 10 tokens."""
    values: dict[str, Any] = {
        "block_count": 3,
        "context_length": 128,
        "embedding_length": 64,
        "feed_forward_length": 96,
        "attention.head_count": 4,
        "attention.layer_norm_rms_epsilon": float(np.float32(1e-5)),
    }
    metadata = {f"{architecture}.{key}": value for key, value in values.items()} | {
        key.replace("__", "."): value for key, value in more.items() if value is not None
    }
    for key in [key for key, value in more.items() if value is None]:
        metadata.pop(key.replace("__", "."))
    f32 = GGMLQuantizationType.F32
    tensors = {name: GGUFTensor(name, (1,), f32, 0, 4) for name in ("a", "b", "c", *names)}
    tensors["token_embd.weight"] = GGUFTensor("token_embd.weight", (10, 64), f32, 0, 2560)
    return GGUFFile(Path("m.gguf"), {"general.architecture": architecture, **metadata}, {}, tensors)


def test_a_llama_has_the_values_of_its_metadata() -> None:
    config = gguf_config(file(**{"llama__rope__freq_base": 100000.0, "llama__attention__head_count_kv": 2}))
    assert config["model_type"] == "llama"
    assert (config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]) == (64, 96, 3)
    assert (config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]) == (4, 2, 16)
    assert (config["vocab_size"], config["max_position_embeddings"]) == (10, 128)
    assert config["rms_norm_eps"] == 1e-05  # and not 9.999999747378752e-06, as float32 has it
    assert config["rope_theta"] == 100000.0
    assert config["rope_scaling"] is None
    assert config["tie_word_embeddings"] is True


def test_an_output_tensor_means_that_the_head_is_not_tied() -> None:
    assert gguf_config(file(names=("output.weight",)))["tie_word_embeddings"] is False


def test_one_number_for_each_layer_counts_as_that_number() -> None:
    assert gguf_config(file(**{"llama__attention__head_count_kv": [2, 2, 2]}))["num_key_value_heads"] == 2
    with pytest.raises(ModelError, match="head_count_kv"):
        gguf_config(file(**{"llama__attention__head_count_kv": [2, 1, 2]}))


def test_gemma3_has_a_full_layer_after_five_windows() -> None:
    config = gguf_config(file("gemma3", gemma3__block_count=4, **{"gemma3__attention__sliding_window": 512}))
    assert config["layer_types"] == ["sliding_attention"] * 4
    config = gguf_config(
        file(
            "gemma3",
            tuple("defghijkl"),
            gemma3__block_count=12,
            gemma3__attention__sliding_window=512,
            gemma3__attention__key_length=256,
            gemma3__attention__value_length=256,
        )
    )
    assert [i for i, kind in enumerate(config["layer_types"]) if kind == "full_attention"] == [5, 11]
    assert config["model_type"] == "gemma3_text"
    assert (config["head_dim"], config["query_pre_attn_scalar"]) == (256, 256)
    assert (config["rope_theta"], config["rope_local_base_freq"]) == (1_000_000.0, 10_000.0)
    assert "hidden_act" not in config


def test_linear_and_yarn_scaling_are_kept() -> None:
    linear = file(llama__rope__scaling__type="linear", llama__rope__scaling__factor=8.0)
    assert gguf_config(linear)["rope_scaling"] == {"rope_type": "linear", "factor": 8.0}
    yarn = {"type": "yarn", "factor": 4.0, "original_context_length": 32}
    config = gguf_config(file(**{f"llama__rope__scaling__{key}": value for key, value in yarn.items()}))
    assert config["rope_scaling"] == {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}


def test_llama3_divisors_equal_transformers() -> None:
    import torch
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaling = {"factor": 8.0, **LLAMA3_ROPE}
    config = LlamaConfig(
        hidden_size=256,
        num_attention_heads=2,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, **scaling},
    )
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 500000.0 ** (-np.arange(0, 128, 2) / 128)
    np.testing.assert_allclose(plain / scaled.numpy(), llama3_divisors(128, 500000.0, scaling), rtol=1e-5)


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({"llama__expert_count": 8}, "mixture of experts"),
        ({"split__count": 3}, "several GGUF files"),
        ({"llama__block_count": 2**31}, "block_count"),
        ({"llama__block_count": 5000}, "block_count"),
        ({"llama__embedding_length": 0}, "embedding_length"),
        ({"llama__embedding_length": -1}, "embedding_length"),
        ({"llama__embedding_length": "64"}, "embedding_length"),
        ({"llama__embedding_length": None}, "embedding_length"),
        ({"llama__attention__head_count": True}, "head_count"),
        ({"llama__attention__head_count_kv": 3}, "head_count_kv"),
        ({"llama__attention__key_length": 15}, "key_length"),
        ({"llama__attention__value_length": 8}, "another width"),
        ({"llama__attention__layer_norm_rms_epsilon": float("nan")}, "layer_norm_rms_epsilon"),
        ({"llama__rope__freq_base": float("inf")}, "freq_base"),
        ({"llama__rope__dimension_count": 8}, "8 of 16 dimensions"),
        ({"llama__rope__scaling__type": "dynamic", "llama__rope__scaling__factor": 2.0}, "type dynamic"),
        ({"llama__rope__scaling__type": "linear"}, "scaling.factor"),
    ],
)
def test_what_cannot_be_right_or_is_not_known_is_refused(more: dict[str, Any], seen: str) -> None:
    with pytest.raises(ModelError, match=seen):
        gguf_config(file(**more))


def test_an_architecture_that_is_no_text_is_refused() -> None:
    with pytest.raises(ModelError, match="architecture"):
        gguf_config(GGUFFile(Path("m.gguf"), {"general.architecture": ["llama"]}, {}, {}))


def test_another_architecture_is_named() -> None:
    with pytest.raises(ModelError, match="architecture") as caught:
        gguf_config(file("mamba"))
    assert caught.value.seen == "mamba"
