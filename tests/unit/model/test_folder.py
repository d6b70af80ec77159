"""Reading a model folder: single and sharded safetensors, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from burnish.core.errors import ModelError
from burnish.model.checkpoint import read_checkpoint, read_tokenizer
from burnish.model.folder import folder_config, folder_tensors, folder_tokenizer
from tests.tiny import write_model


def tiny_model(folder: Path, **more: Any) -> Any:
    """A tiny Llama with a tokenizer of four words, saved as transformers saves it."""
    words = {"<unk>": 0, "<s>": 1, "</s>": 2, "hello": 3, "world": 4}
    backend = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=5,
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=True,
    )
    model = AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = 2
    model.save_pretrained(folder, **more)
    return model


@pytest.mark.parametrize("shard", [{}, {"max_shard_size": "1KB"}])
def test_a_saved_folder_is_read_back_whole(tmp_path: Path, shard: dict[str, str]) -> None:
    model = tiny_model(tmp_path, **shard)
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == bool(shard)
    checkpoint = read_checkpoint(tmp_path)
    expected = {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    assert checkpoint.tensors.keys() == expected.keys()
    assert all(torch.equal(checkpoint.tensors[name], tensor) for name, tensor in expected.items())
    assert checkpoint.config["model_type"] == "llama"
    assert checkpoint.generation["eos_token_id"] == [2]
    assert checkpoint.tokenizer("hello world").input_ids == [3, 4]
    assert (
        checkpoint.tokenizer.chat_template == read_tokenizer(tmp_path).chat_template == "{{ messages[0]['content'] }}"
    )


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_part_is_named_with_the_next_move(tmp_path: Path, missing: str) -> None:
    tiny_model(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(ModelError, match="has no") as caught:
        read_checkpoint(tmp_path)
    assert caught.value.next_move


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    tiny_model(tmp_path)
    path = tmp_path / "model.safetensors"
    whole = path.read_bytes()
    for length in (0, 4, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="damaged"):
            read_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.ckpt"])
def test_a_pickle_is_never_opened(tmp_path: Path, name: str) -> None:
    tiny_model(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / name)
    with pytest.raises(ModelError, match="pickle") as caught:
        read_checkpoint(tmp_path)
    assert "can run code" in caught.value.next_move


@pytest.mark.parametrize(
    "name", ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "..\\x.safetensors", "x.bin"]
)
def test_an_index_may_not_name_a_file_elsewhere(tmp_path: Path, name: str) -> None:
    index = {"weight_map": {"w": name}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="elsewhere"):
        folder_tensors(tmp_path, {"model_type": "llama"})


@pytest.mark.parametrize("index", [{}, {"weight_map": {}}, {"weight_map": []}, {"weight_map": {"w": 1}}])
def test_an_index_that_says_nothing_is_refused(tmp_path: Path, index: dict[str, Any]) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="index of the weights is empty"):
        folder_tensors(tmp_path, {"model_type": "llama"})


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    tiny_model(tmp_path, max_shard_size="1KB")
    shard = sorted(tmp_path.glob("*.safetensors"))[1]
    shard.unlink()
    with pytest.raises(ModelError, match="part of the weights is missing") as caught:
        read_checkpoint(tmp_path)
    assert caught.value.where == str(shard)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"model_type": 3}', '{"model_type": []}', '{"model_type": "never-heard-of"}', "[" * 99_999],
)
def test_a_config_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ModelError):
        folder_config(tmp_path)


def test_a_model_with_its_own_code_is_refused_and_the_code_not_run(tmp_path: Path) -> None:
    config = {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match="code of its own"):
        folder_config(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_auto_map_does_not_matter_for_a_known_type(tmp_path: Path) -> None:
    tiny_model(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoModelForCausalLM": "own.Model"}}))
    assert read_checkpoint(tmp_path).config["model_type"] == "llama"


@pytest.mark.parametrize(
    "content", ["", "{}", "null", '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["b c"]}}']
)
def test_a_damaged_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    tiny_model(tmp_path)
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match="tokenizer"):
        read_tokenizer(tmp_path)


def test_of_a_multimodal_gemma3_the_text_model_is_taken(tmp_path: Path) -> None:
    text = {"model_type": "gemma3_text", "hidden_size": 8}
    config = {"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 4}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    weight = torch.ones(2, 2)
    for old in ("language_model.model.", "model.language_model."):
        names = {f"{old}layers.0.mlp.up_proj.weight": weight, f"{old}embed_tokens.weight": weight.clone()}
        names |= {"vision_tower.x": weight.clone(), "model.multi_modal_projector.y": weight.clone()}
        save_file(names, tmp_path / "model.safetensors")
        config = folder_config(tmp_path)
        assert config == {"model_type": "gemma3_text", "hidden_size": 8, "tie_word_embeddings": True}
        tensors = folder_tensors(tmp_path, config)
        assert sorted(tensors) == ["model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"]


def test_a_tensor_that_stands_twice_in_a_header_is_refused(tmp_path: Path) -> None:
    """JSON allows it, and each reader may take another of the two."""
    model = write_model(tmp_path / "model")
    path = model / "model.safetensors"
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    entry = b'{"model.norm.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
    path.write_bytes((length + len(entry) - 1).to_bytes(8, "little") + entry + raw[9 : 8 + length] + raw[8 + length :])
    with pytest.raises(ModelError, match="stands twice"):
        folder_tensors(model, folder_config(model))


def test_a_tokenizer_that_makes_a_book_of_a_letter_is_refused(tmp_path: Path) -> None:
    """Six times sixteen for one: 16 million. Told from its rules, before it reads a text."""
    model = write_model(tmp_path / "model")
    path = model / "tokenizer.json"
    rule = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 16}
    tree = json.loads(path.read_text("utf-8")) | {"normalizer": {"type": "Sequence", "normalizers": [rule] * 6}}
    path.write_text(json.dumps(tree), "utf-8")
    with pytest.raises(ModelError, match="far more text"):
        folder_tokenizer(model)
