"""The merged folder: plain transformers must need nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from burnish.adapt.methods import merged_tensors
from burnish.deploy.answers import reference_answers
from burnish.deploy.merged import copy_terms, dtype_named, generation_config, stored_dtype, write_model_folder
from burnish.model.forest import Segment, plant
from burnish.render.renderer import make_renderer
from tests.unit.deploy.models import CONVERSATIONS, FAMILIES, read_family, specialist


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_transformers_computes_the_trained_model(family: str, tmp_path: Path) -> None:
    made = read_family(family, tmp_path / "base")
    decoder, renderer = specialist(made), make_renderer(made.tokenizer, made.generation)
    out = tmp_path / "merged"
    write_model_folder(
        out,
        made.config,
        merged_tensors(decoder),
        made.tokenizer,
        template=renderer.template,
        generation={"temperature": 0.6, "do_sample": True},
        stop_ids=renderer.stop_ids,
        dtype=torch.float32,
    )
    model = AutoModelForCausalLM.from_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert model.dtype == torch.float32
    assert model.generation_config.eos_token_id == sorted(renderer.stop_ids)
    assert model.generation_config.do_sample is False
    for conversation in CONVERSATIONS:
        ids = renderer.prompt(conversation)
        chat = [message.to_json() for message in conversation]
        assert tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False) == ids
        with torch.no_grad():
            ours = decoder.logits(decoder.hidden(plant([Segment(ids, [0.0] * len(ids))])))
            theirs = model(torch.tensor([ids])).logits[0]
        torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-5 * float(ours.abs().max()))


def test_a_base_without_a_template_is_given_the_one_it_was_trained_with(tmp_path: Path) -> None:
    made = read_family("llama", tmp_path / "base")
    made.tokenizer.chat_template = None
    renderer = make_renderer(made.tokenizer, made.generation)
    out = tmp_path / "merged"
    write_model_folder(
        out, made.config, made.tensors, made.tokenizer, template=renderer.template, generation={}, stop_ids=[2],
        dtype=torch.bfloat16,
    )  # fmt: skip
    assert AutoTokenizer.from_pretrained(out).chat_template == renderer.template
    assert AutoModelForCausalLM.from_pretrained(out).dtype == torch.bfloat16


def test_the_base_decides_the_number_format(tmp_path: Path) -> None:
    made = read_family("llama", tmp_path / "base")
    assert stored_dtype(made) is torch.float32
    halves = {n: t.bfloat16() if t.dim() > 1 else t for n, t in made.tensors.items()}
    assert stored_dtype(replace(made, tensors=halves)) is torch.bfloat16


def test_the_number_format_can_be_chosen(tmp_path: Path) -> None:
    made = read_family("llama", tmp_path / "base")
    assert [dtype_named(name, made) for name in ("auto", "float16", "bfloat16")] == [
        torch.float32, torch.float16, torch.bfloat16
    ]  # fmt: skip


def test_the_texts_of_the_licence_go_along(tmp_path: Path) -> None:
    base, out = tmp_path / "base", tmp_path / "merged"
    base.mkdir()
    out.mkdir()
    for name in ("LICENSE", "NOTICE.txt", "Licence.md", "config.json", "unlicensed.py"):
        (base / name).write_text(name)
    copy_terms(base, out)
    assert {path.name for path in out.iterdir()} == {"LICENSE", "NOTICE.txt", "Licence.md"}


OFFLINE = """
import socket, sys
def refuse(*_): raise SystemExit("it asked for the network")
socket.socket.connect = refuse
from transformers import AutoModelForCausalLM, AutoTokenizer
model, tokenizer = AutoModelForCausalLM.from_pretrained(sys.argv[1]), AutoTokenizer.from_pretrained(sys.argv[1])
chat = [{"role": "user", "content": "which parcel is late?"}]
ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True, return_tensors="pt")
print(model.generate(**ids, max_new_tokens=4)[0, ids.input_ids.shape[1] :].tolist())
"""


def test_a_clean_process_without_a_network_needs_nothing_but_the_folder(tmp_path: Path) -> None:
    made = read_family("llama", tmp_path / "base")
    decoder, renderer = specialist(made), make_renderer(made.tokenizer, made.generation)
    out = tmp_path / "merged"
    write_model_folder(
        out, made.config, merged_tensors(decoder), made.tokenizer, template=renderer.template, generation={},
        stop_ids=renderer.stop_ids, dtype=torch.float32, shard_bytes=50_000,
    )  # fmt: skip
    ids = renderer.prompt(CONVERSATIONS[0])
    (answer,) = reference_answers(decoder, [ids], renderer.stop_ids, 4)
    done = subprocess.run(
        [sys.executable, "-P", "-c", OFFLINE, str(out)], capture_output=True, text=True, cwd=tmp_path,
        env={"PATH": "", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    assert json.loads(done.stdout) == list(answer.tokens)


def test_large_weights_are_written_in_shards(tmp_path: Path) -> None:
    made = read_family("untied", tmp_path / "base")
    out = tmp_path / "merged"
    write_model_folder(
        out, made.config, made.tensors, made.tokenizer, template="x", generation={}, stop_ids=[2], dtype=torch.float32,
        shard_bytes=50_000,
    )  # fmt: skip
    index = json.loads((out / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == made.tensors.keys()
    loaded = AutoModelForCausalLM.from_pretrained(out).state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in made.tensors.items())


def test_sampling_rules_of_the_base_are_not_handed_on() -> None:
    found = generation_config({"temperature": 0.6, "top_p": 0.9, "bos_token_id": 1, "eos_token_id": 5}, {7, 2})
    assert found == {"bos_token_id": 1, "do_sample": False, "eos_token_id": [2, 7]}
