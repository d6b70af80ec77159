"""GGUF files of every family: what our own strict reader gets back, and what llama.cpp answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gguf.constants import GGMLQuantizationType

from burnish.adapt.methods import merged_tensors
from burnish.core.errors import ModelError
from burnish.deploy import llamacpp
from burnish.deploy.answers import decoder_score, reference_answers, scored_by
from burnish.deploy.checks import check_gguf, make_question
from burnish.deploy.gguf_metadata import model_metadata, rotary_divisors, with_stops
from burnish.deploy.gguf_write import NumberFormat, Value, tensor_type, write_gguf
from burnish.deploy.parity import EXACT
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.config import decoder_config
from burnish.model.gguf_file import read_gguf
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer
from tests.unit.deploy.models import CONVERSATIONS, FAMILIES, read_family, specialist

TEXTS = ["the sky is blue", "order 12, 345", "naïve – ½ 😀\n\n  x", "<not special>"]


def written(checkpoint: Checkpoint, path: Path, number_format: NumberFormat = "f32") -> Path:
    decoder = specialist(checkpoint)
    renderer = make_renderer(checkpoint.tokenizer, checkpoint.generation)
    metadata = model_metadata(
        checkpoint, decoder.config, name="run-1", template=renderer.template, stop_ids=renderer.stop_ids
    )
    tensors = merged_tensors(decoder)
    write_gguf(path, metadata, tensors, decoder.config, number_format, rotary_divisors(decoder.config))
    return path


@pytest.mark.parametrize("family", FAMILIES)
def test_our_reader_gets_the_model_back(family: str, tmp_path: Path) -> None:
    made = read_family(family, tmp_path / "base")
    back = read_checkpoint(written(made, tmp_path / "m.gguf"))
    tensors = merged_tensors(specialist(made))
    assert back.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        # Gemma's norms go through 1 + w and back, which costs the last bit of a float32.
        torch.testing.assert_close(back.tensors[name].float(), tensor, rtol=0, atol=1e-6 if "norm" in name else 0)
    one, two = decoder_config(made.config), decoder_config(back.config)
    assert two.ropes == one.ropes
    assert (two.windows, two.attention_scale, two.tied) == (one.windows, one.attention_scale, one.tied)
    assert back.tokenizer.chat_template == made.tokenizer.chat_template
    for text in TEXTS:
        assert back.tokenizer(text)["input_ids"] == made.tokenizer(text)["input_ids"]


@pytest.mark.parametrize("family", FAMILIES)
def test_llamacpp_answers_as_the_trained_model(family: str, tmp_path: Path) -> None:
    if not llamacpp.installed():
        pytest.skip("xllamacpp is not installed")
    made = read_family(family, tmp_path / "base")
    decoder = specialist(made)
    renderer = make_renderer(made.tokenizer, made.generation)
    base = build_decoder(made.config, made.tensors, dtype=torch.float32, device=torch.device("cpu"))
    prompts = [renderer.prompt(conversation) for conversation in CONVERSATIONS]
    answers = reference_answers(decoder, prompts, renderer.stop_ids, 12)
    question = make_question(renderer, CONVERSATIONS, answers, scored_by(answers, decoder_score(base)), 12)
    found = check_gguf(written(made, tmp_path / "m.gguf"), EXACT, question)
    assert found["status"] == "passed", found
    assert found["measured"]["prompts_equal"] == 3


def test_a_file_that_llamacpp_refuses_fails_and_does_not_end_this_process(tmp_path: Path) -> None:
    if not llamacpp.installed():
        pytest.skip("xllamacpp is not installed")
    made = read_family("llama", tmp_path / "base")
    decoder = specialist(made)
    renderer = make_renderer(made.tokenizer, made.generation)
    answers = reference_answers(decoder, [renderer.prompt(CONVERSATIONS[0])], renderer.stop_ids, 2)
    question = make_question(renderer, CONVERSATIONS[:1], answers, scored_by(answers, decoder_score(decoder)), 2)
    path = written(made, tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes()[:-4096])
    found = check_gguf(path, EXACT, question)
    assert found["status"] == "failed"
    assert "llama.cpp cannot use" in found["why"]


def test_types_of_tensors() -> None:
    kinds = GGMLQuantizationType
    assert tensor_type("blk.0.attn_norm.weight", (64,), "q4_0") is kinds.F32
    assert tensor_type("blk.0.attn_q.weight", (64, 64), "q4_0") is kinds.Q4_0
    assert tensor_type("token_embd.weight", (320, 64), "q4_0") is kinds.Q8_0
    assert tensor_type("blk.0.attn_q.weight", (64, 48), "q8_0") is kinds.F16  # 48 is no whole number of 32s


@pytest.mark.parametrize(
    ("number_format", "steps"), [("f16", 2**-11), ("bf16", 2**-8), ("q8_0", 1 / 254 + 2**-11), ("q4_0", 1 / 8)]
)
def test_rounding_is_within_a_step_of_the_largest_of_its_block(
    number_format: NumberFormat, steps: float, tmp_path: Path
) -> None:
    # q8_0: half a step of largest / 127, and the step itself is kept in float16. q4_0: a whole step of largest / 8.
    made = read_family("llama", tmp_path / "base")
    file = read_gguf(written(made, tmp_path / "m.gguf", number_format))
    tensors = merged_tensors(specialist(made))
    for name, ours in (("blk.0.ffn_up.weight", "mlp.up_proj"), ("blk.1.ffn_down.weight", "mlp.down_proj")):
        exact = tensors[f"model.layers.{name[4]}.{ours}.weight"].numpy().reshape(-1, 32)
        stored = file.array(name).astype(np.float32).reshape(-1, 32)
        bound = np.abs(exact).max(axis=1, keepdims=True) * steps * 1.01 + 1e-6
        assert (np.abs(stored - exact) <= bound).all()


def test_a_gguf_base_hands_its_metadata_on(tmp_path: Path) -> None:
    made = read_family("qwen2", tmp_path / "base")
    first = written(made, tmp_path / "first.gguf", "f16")
    second = written(read_checkpoint(first), tmp_path / "second.gguf", "q8_0")
    one, two = read_gguf(first), read_gguf(second)
    changed = {key for key in one.metadata if one.metadata[key] != two.metadata.get(key)}
    assert changed == {"general.file_type", "general.base_model.0.name"}
    assert two.metadata["general.base_model.0.name"] == "run-1"
    assert two.kinds.keys() >= one.kinds.keys()


def test_every_stop_token_is_named_once() -> None:
    metadata = {"tokenizer.ggml.eos_token_id": Value(2, 4)}  # type: ignore[arg-type]
    stops = with_stops(metadata, {2, 7})
    assert stops["tokenizer.ggml.eot_token_id"].value == 7
    with pytest.raises(ModelError, match="More tokens end an answer"):
        with_stops(metadata, {2, 3, 4, 5})


def test_a_model_that_llamacpp_computes_otherwise_is_refused(tmp_path: Path) -> None:
    made = read_family("gemma3", tmp_path / "base")
    config = decoder_config(made.config | {"layer_types": ["full_attention"] * 6})
    with pytest.raises(ModelError, match="another order of local and global layers"):
        model_metadata(made, config, name="x", template="", stop_ids=())
