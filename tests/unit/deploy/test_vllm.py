"""Exported folders and adapters in vLLM itself, where it is at hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from burnish.core.run_folder import RunFolder
from burnish.deploy import vllm
from burnish.deploy.answers import decoder_score, reference_answers, scored_by
from burnish.deploy.checks import check_vllm, make_question
from burnish.deploy.parity import EXACT
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer
from tests.unit.deploy.models import CONVERSATIONS, read_family, specialist
from tests.unit.deploy.test_export import run_export

FAMILY = "qwen3"  # its heads are of a width that vLLM computes on a CPU


def test_without_vllm_nothing_is_assumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(vllm.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    base = read_family(FAMILY, tmp_path / "base")
    record = run_export(base, RunFolder(tmp_path / "run"), ["merged"], engines=("vllm",))
    assert record["forms"]["merged"]["status"] == "passed"
    assert record["forms"]["merged"]["engines"]["vllm"] == {"status": "not checked", "why": vllm.ABSENT}


@pytest.mark.skipif(vllm.command() is None, reason=f"needs vLLM: {vllm.VARIABLE}")
def test_an_adapter_answers_alike_and_one_without_effect_is_found(tmp_path: Path) -> None:
    base = read_family(FAMILY, tmp_path / "base")
    run = RunFolder(tmp_path / "run")
    tuned = specialist(base)
    record = run_export(base, run, ["adapter"], decoder=tuned, engines=("vllm",))
    found = record["forms"]["adapter"]["engines"]["vllm"]
    assert found["status"] == "passed", found["why"]

    without = tmp_path / "without"
    shutil.copytree(run.export / "adapter", without)
    weights = load_file(without / "adapter_model.safetensors")
    save_file({name: torch.zeros_like(one) for name, one in weights.items()}, without / "adapter_model.safetensors")
    renderer = make_renderer(base.tokenizer, base.generation)
    ids = [renderer.prompt(messages) for messages in CONVERSATIONS]
    answers = reference_answers(tuned, ids, renderer.stop_ids, 8)
    alone = build_decoder(base.config, base.tensors, dtype=torch.float32, device=torch.device("cpu"))
    question = make_question(renderer, CONVERSATIONS, answers, scored_by(answers, decoder_score(alone)), 8)
    found = check_vllm(base.path, EXACT, question, without)
    assert found["status"] == "failed"
    assert "the adapter changes nothing" in found["why"]
