"""What a server must never mix up."""

from __future__ import annotations

from pathlib import Path

import torch

from burnish.deploy.answers import reference_answers
from burnish.deploy.llamacpp import ask
from burnish.model.checkpoint import read_checkpoint
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer
from tests.invariants.test_templates import conversations, template_ids
from tests.live_server import live_server
from tests.load.__main__ import isolated
from tests.tiny import write_gguf_model


def test_every_answer_is_of_the_adapter_that_its_name_stood_for(tmp_path: Path) -> None:
    report = isolated(tmp_path, requests=100, reloads=10, streams=16, seed=1)
    assert report.wrong == []
    assert report.found["right"] > 60
    assert report.found["404 where there is none"] > 2
    assert report.found["reloads"] >= 7


def test_trainer_transformers_server_and_llama_cpp_read_the_same_ids(tiny_folder: Path, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(tiny_folder)
    renderer = make_renderer(checkpoint.tokenizer, checkpoint.generation)
    talks = [talk[:-1] for talk in conversations("ChatML")]  # fifty, each up to a question
    ours = [list(renderer.prompt(talk)) for talk in talks]
    assert ours == [template_ids(renderer, talk, generation_prompt=True) for talk in talks]
    with live_server() as live:
        live.catalog.add_base("tiny", tiny_folder)
        bodies = [{"model": live.catalog.all()[0].name, "messages": [one.to_json() for one in talk]} for talk in talks]
        assert [live.post("/tokenize", body).json()["tokens"] for body in bodies] == ours
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    answers = reference_answers(decoder, ours, renderer.stop_ids, 1)
    file = write_gguf_model(tmp_path / "tiny.gguf", tiny_folder)
    theirs = ask(file, talks, answers, max_new_tokens=1, stop_ids=renderer.stop_ids)
    assert theirs.prompts == ours
