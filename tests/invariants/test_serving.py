"""What a server must never mix up."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from burnish.adapt import methods
from burnish.adapt.settings import LoRASettings
from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder
from burnish.deploy.answers import reference_answers
from burnish.deploy.export import export
from burnish.deploy.llamacpp import ask
from burnish.deploy.settings import ExportSettings
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer
from tests.invariants.test_templates import conversations, template_ids
from tests.live_server import live_server
from tests.load.__main__ import isolated
from tests.tiny import write_gguf_model
from tests.unit.deploy.models import read_family, specialist


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


def test_an_exported_folder_gives_the_same_ids_and_stops_in_three_engines(tmp_path: Path) -> None:
    """transformers reads merged/, llama.cpp the GGUF, our server adapter and base; each answers to its own end."""
    base = _model_that_stops(tmp_path / "base")
    decoder, renderer = specialist(base), make_renderer(base.tokenizer, base.generation)
    folder = RunFolder(tmp_path / "run")
    folder.create()
    methods.save_adapter(decoder, LoRASettings(r=4, alpha=8.0), folder.adapter, base="base")
    talks = [talk[:-1] for talk in conversations("ChatML")][:8]
    ids = [list(renderer.prompt(talk)) for talk in talks]
    said = reference_answers(decoder, ids, renderer.stop_ids, 12)
    lengths = {len(answer.tokens) for answer in said if answer.stopped}
    assert len(lengths) > 2  # they do end, and not all at once
    record = export(
        folder,
        ExportSettings(forms=("merged", "adapter", "gguf-f32"), engines=("burnish",), parity_prompts=8),
        checkpoint=base,
        specialist=decoder,
        renderer=renderer,
        prompts=talks,
        max_new_tokens=12,
        say=lambda text: None,
    )
    forms = record["forms"]
    assert {name: form["status"] for name, form in forms.items()} == dict.fromkeys(forms, "passed")
    asked = [forms["merged"], forms["gguf-f32"], forms["adapter"]["engines"]["burnish"]]
    assert [one["measured"]["answers_equal"] for one in asked] == [8, 8, 8]
    settings = read_json(folder.export / "merged" / "generation_config.json")
    assert set(settings["eos_token_id"]) == set(renderer.stop_ids)


def _model_that_stops(folder: Path) -> Checkpoint:
    """A random model whose output layer has a liking for the end of a turn."""
    read_family("untied", folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"][2] *= 2.5
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return read_checkpoint(folder)
