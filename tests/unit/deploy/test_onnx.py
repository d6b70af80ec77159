"""ONNX by optimum, in an environment of its own where there is one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from burnish.core.errors import MissingTool, ParityError
from burnish.core.run_folder import RunFolder
from burnish.deploy import optimum
from burnish.deploy.answers import Answer, decoder_score, reference_answers, scored_by
from burnish.deploy.checks import found_by, make_question
from burnish.deploy.manifest import differences
from burnish.deploy.optimum import VARIABLE, ask, check_optimum, export_onnx
from burnish.deploy.parity import EXACT
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer
from tests.unit.deploy.models import CONVERSATIONS, read_family, specialist
from tests.unit.deploy.test_export import run_export

ANSWER = Answer((5, 6), (7, 2), True, ((((7, -0.5), (8, -1.0))), ((2, -0.1), (7, -3.0))))


def program(folder: Path, script: str) -> str:
    """A program in the place of the environment's Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("named", [None, "nowhere/python"])
def test_without_optimum_onnx_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if named is not None:
        monkeypatch.setenv(VARIABLE, str(tmp_path / named))
    with pytest.raises(MissingTool) as refusal:
        run_export(read_family("llama", tmp_path / "base"), RunFolder(tmp_path / "run"), ["merged", "onnx"])
    assert refusal.value.where == VARIABLE
    assert refusal.value.seen == ("not set" if named is None else str(tmp_path / named))
    assert "pip install" in refusal.value.next_move
    assert VARIABLE in refusal.value.next_move
    assert not (tmp_path / "run" / "export").exists()


def test_other_forms_need_no_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    check_optimum(["merged", "adapter", "gguf-q8_0"])


def test_an_exporter_that_fails_is_told_and_the_other_forms_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, program(tmp_path, "echo 'ValueError: no such architecture' >&2; exit 1"))
    run = RunFolder(tmp_path / "run")
    with pytest.raises(ParityError, match="onnx"):
        run_export(read_family("llama", tmp_path / "base"), run, ["merged", "onnx"])
    forms = json.loads(run.parity.read_text())["forms"]
    assert forms["merged"]["status"] == "passed"
    assert forms["onnx"]["status"] == "failed"
    assert forms["onnx"]["why"].endswith("exit code 1: ValueError: no such architecture")
    assert sorted(path.name for path in run.export.iterdir() if path.is_dir()) == ["merged", "serve"]


def test_an_exporter_that_writes_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, program(tmp_path, "exit 0"))
    with pytest.raises(ParityError, match=r"no model\.onnx"):
        export_onnx(tmp_path, tmp_path / "onnx")


def test_the_exporter_is_alone_offline_and_runs_no_code_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv(VARIABLE, program(tmp_path, f'echo "$@" > {tmp_path}/arguments; env > {tmp_path}/environment'))
    with pytest.raises(ParityError):
        export_onnx(tmp_path / "source", tmp_path / "onnx")
    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments[:3] == ["-I", "-m", "optimum.exporters.onnx"]
    assert arguments[arguments.index("--model") + 1] == str(tmp_path / "source")
    assert "--trust-remote-code" not in arguments
    environment = (tmp_path / "environment").read_text().splitlines()
    assert "HF_HUB_OFFLINE=1" in environment
    assert not [line for line in environment if line.startswith("PYTHON")]


def test_what_the_engine_answers_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {
        "engine": "onnxruntime 1", "prompts": [[5, 6]], "answers": [{"tokens": [7], "stopped": True}],
        "places": [[[[7, -0.5], [8, -1.0]], [[2, -0.1], [7, -3.0]]]],
    }  # fmt: skip
    monkeypatch.setenv(VARIABLE, program(tmp_path, f"cat > {tmp_path}/asked; echo '{json.dumps(reply)}'"))
    found = ask(tmp_path, [CONVERSATIONS[0]], [ANSWER], max_new_tokens=4)
    assert (found.engine, found.prompts, found.answers) == ("onnxruntime 1", [[5, 6]], [([7], True)])
    assert found.places == [list(ANSWER.places)]
    asked = json.loads((tmp_path / "asked").read_text())
    assert asked["items"] == [{"prompt": [5, 6], "answer": [7, 2]}]
    assert asked["conversations"] == [[{"role": "user", "content": "which parcel is late?"}]]


@pytest.mark.parametrize("reply", ["", "[1]", '{"engine": "x"}', '{"engine": "x", "prompts": [["a"]]}'])
def test_an_answer_in_another_form_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: str) -> None:
    monkeypatch.setenv(VARIABLE, program(tmp_path, f"cat > /dev/null; echo '{reply}'"))
    with pytest.raises(ParityError, match="unknown form"):
        ask(tmp_path, [CONVERSATIONS[0]], [ANSWER], max_new_tokens=4)


needs_optimum = pytest.mark.skipif(
    not shutil.which(os.environ.get(VARIABLE, "")), reason=f"needs optimum: {VARIABLE} names the Python that has it"
)


@needs_optimum
@pytest.mark.parametrize("family", ["llama", "llama3", "mistral", "qwen2", "qwen3", "gemma3", "phi3"])
def test_a_family_answers_in_onnxruntime_as_it_was_trained(tmp_path: Path, family: str) -> None:
    run = RunFolder(tmp_path / "run")
    found = run_export(read_family(family, tmp_path / "base"), run, ["onnx"])["forms"]["onnx"]
    assert found["status"] == "passed", found["why"]
    assert found["engine"].startswith("onnxruntime ")
    assert found["measured"]["prompts_equal"] == found["measured"]["prompts"] > 0
    assert found["measured"]["answers_equal"] == 3
    written = {path.name for path in (run.export / "onnx").iterdir()}
    assert written == {"README.md", "model.onnx", "config.json", "generation_config.json", "tokenizer.json",
                       "tokenizer_config.json", "chat_template.jinja"}  # fmt: skip
    assert not differences(run.export)


@needs_optimum
def test_another_models_file_is_found_out(tmp_path: Path) -> None:
    base = read_family("llama", tmp_path / "base")
    run = RunFolder(tmp_path / "run")
    run_export(base, run, ["onnx"])
    renderer, other = make_renderer(base.tokenizer, base.generation), specialist(base, scale=0.1)
    ids = [renderer.prompt(messages) for messages in CONVERSATIONS]
    answers = reference_answers(other, ids, renderer.stop_ids, 8)
    alone = build_decoder(base.config, base.tensors, dtype=torch.float32, device=torch.device("cpu"))
    question = make_question(renderer, CONVERSATIONS, answers, scored_by(answers, decoder_score(alone)), 8)
    asked = optimum.ask(run.export / "onnx", CONVERSATIONS, answers, max_new_tokens=8)
    found = found_by(asked, EXACT, question)
    assert found["status"] == "failed"
    assert "max_difference" in found["why"]
