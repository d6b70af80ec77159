"""K-quants by llama.cpp's own program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from burnish.core.errors import MissingTool, ParityError
from burnish.core.run_folder import RunFolder
from burnish.deploy import llamacpp
from burnish.deploy.k_quants import K_FORMATS, PROGRAM, VARIABLE, check_quantiser, quantise
from burnish.model.gguf_file import read_gguf
from tests.unit.deploy.models import read_family
from tests.unit.deploy.test_export import run_export


def test_without_the_program_a_k_quant_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(MissingTool, match="gguf-q4_k_m") as refusal:
        run_export(read_family("llama", tmp_path / "base"), RunFolder(tmp_path / "run"), ["merged", "gguf-q4_k_m"])
    assert VARIABLE in refusal.value.next_move
    assert not (tmp_path / "run" / "export").exists()


def test_other_forms_need_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    check_quantiser(["merged", "adapter", "gguf-q8_0"])


def test_a_program_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(shutil.which("false")))
    with pytest.raises(ParityError, match="failed") as failure:
        quantise(tmp_path / "a.gguf", tmp_path / "b.gguf", "q4_k_m")
    assert failure.value.seen.startswith("exit code 1")


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"needs {PROGRAM} on the PATH")
def test_each_k_quant_is_written_asked_and_listed(tmp_path: Path) -> None:
    forms = [f"gguf-{one}" for one in K_FORMATS if one != "q3_k_m"]  # too coarse for so small a model
    run = RunFolder(tmp_path / "run")
    record = run_export(read_family("llama", tmp_path / "base"), run, forms)
    checked = "passed" if llamacpp.installed() else "not checked"
    assert {name: form["status"] for name, form in record["forms"].items()} == dict.fromkeys(forms, checked)
    assert not (run.export / "model-f32.gguf").exists()
    for form in record["forms"].values():
        assert read_gguf(run.export / form["file"]).tensors
