"""The whole stage on tiny models: what is written, what is said, what is not kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from burnish.adapt import lora, methods
from burnish.adapt.settings import LoRASettings
from burnish.core.errors import BurnishError, ParityError
from burnish.core.files import sha256_of_file
from burnish.core.run_folder import RunFolder
from burnish.deploy import export as stage
from burnish.deploy import forms, llamacpp
from burnish.deploy.export import export
from burnish.deploy.manifest import MANIFEST, differences
from burnish.deploy.settings import ExportSettings
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.vocabulary import with_new_tokens
from burnish.render.renderer import make_renderer
from tests.unit.deploy.models import CONVERSATIONS, read_family, specialist


@pytest.fixture
def base(tmp_path: Path) -> Checkpoint:
    return read_family("llama", tmp_path / "base")


def run_export(
    base: Checkpoint, run: RunFolder, forms: list[str], decoder: Decoder | None = None, engines: tuple[str, ...] = ()
) -> dict[str, Any]:
    run.create()
    decoder = decoder or specialist(base)
    if lora.layers(decoder):
        methods.save_adapter(decoder, LoRASettings(r=4, alpha=8.0), run.adapter, base="base")
    return export(
        run,
        ExportSettings(forms=forms, engines=engines, parity_prompts=3),
        checkpoint=base,
        specialist=decoder,
        renderer=make_renderer(base.tokenizer, base.generation),
        prompts=CONVERSATIONS,
        max_new_tokens=8,
        say=lambda text: None,
    )


def statuses(record: dict[str, Any]) -> dict[str, str]:
    return {name: form["status"] for name, form in record["forms"].items()}


def test_every_form_passes_and_the_record_names_every_file(base: Checkpoint, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    checked = "passed" if llamacpp.installed() else "not checked"
    record = run_export(base, run, ["merged", "adapter", "gguf-f32", "gguf-f16", "gguf-bf16", "gguf-q8_0"])
    assert statuses(record) == {
        "merged": "passed", "adapter": "passed", "gguf-f32": checked, "gguf-f16": checked, "gguf-bf16": checked,
        "gguf-q8_0": checked
    }  # fmt: skip
    assert record["status"] == ("passed" if llamacpp.installed() else "incomplete")
    assert record == json.loads(run.parity.read_text())
    files = {str(path.relative_to(run.export)) for path in run.export.rglob("*") if path.is_file()}
    manifest = json.loads((run.export / MANIFEST).read_text())
    assert files == {*manifest["files"], MANIFEST}
    assert {"parity.json", "README.md", "merged/README.md"} <= files
    assert {"merged/config.json", "merged/model.safetensors", "merged/tokenizer.json", "adapter/adapter_config.json",
            "merged/chat_template.jinja", "model-f16.gguf", "Modelfile"} <= files  # fmt: skip
    for name, facts in manifest["files"].items():
        assert facts["sha256"] == sha256_of_file(run.export / name)
    assert not list(run.path.glob("export.tmp-*"))


def test_our_own_server_answers_alike(base: Checkpoint, tmp_path: Path) -> None:
    record = run_export(base, RunFolder(tmp_path / "run"), ["adapter"], engines=("burnish",))
    engines = record["forms"]["adapter"]["engines"]
    found = engines["burnish"]
    assert found["status"] == "passed", found["why"]
    assert found["measured"]["answers_equal"] == found["measured"]["answers"] == 3
    assert found["measured"]["adapter_changes"] > 0
    assert engines["vllm"] == {"status": "not checked", "why": "`export.engines` does not name it"}


def test_a_gguf_base_also_gives_the_folder_that_its_adapter_goes_on(base: Checkpoint, tmp_path: Path) -> None:
    first = RunFolder(tmp_path / "first")
    run_export(base, first, ["gguf-f32"], decoder=specialist(base, scale=0.0))
    gguf = read_checkpoint(first.export / "model-f32.gguf")
    run = RunFolder(tmp_path / "run")
    record = run_export(gguf, run, ["adapter"])
    assert statuses(record) == {"adapter": "passed"}
    assert record["forms"]["adapter"]["base"] == "base"
    assert (run.export / "base" / "config.json").is_file()


def test_tokens_added_to_a_gguf_base_stand_in_its_vocabulary(base: Checkpoint, tmp_path: Path) -> None:
    """Once the base's own list of tokens was copied, and llama.cpp refused a table with more rows than that."""
    first = RunFolder(tmp_path / "first")
    run_export(base, first, ["gguf-f32"], decoder=specialist(base, scale=0.0))
    made = with_new_tokens(read_checkpoint(first.export / "model-f32.gguf"), ("<sku>", "<order>"))
    run = RunFolder(tmp_path / "run")
    record = run_export(made, run, ["gguf-f32"], decoder=specialist(made))
    assert statuses(record) == {"gguf-f32": "passed" if llamacpp.installed() else "not checked"}
    again = read_checkpoint(run.export / "model-f32.gguf").tokenizer
    ids = again.encode("a <sku> or <order>", add_special_tokens=False)
    assert set(made.new_ids) <= set(ids)
    assert ids == made.tokenizer.encode("a <sku> or <order>", add_special_tokens=False)


def test_a_run_without_an_adapter_says_so(base: Checkpoint, tmp_path: Path) -> None:
    tuned = specialist(base)
    merged = stage.merged_tensors(tuned)
    full = stage.build_decoder(base.config, merged, dtype=torch.float32, device=torch.device("cpu"))
    record = run_export(base, RunFolder(tmp_path / "run"), ["merged", "adapter"], decoder=full)
    assert statuses(record) == {"merged": "passed", "adapter": "not checked"}
    assert record["status"] == "incomplete"


def test_an_absent_engine_is_never_counted_as_passed(
    base: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llamacpp, "installed", lambda: False)
    record = run_export(base, RunFolder(tmp_path / "run"), ["gguf-q8_0"])
    assert record["status"] == "incomplete"
    assert "pip install 'burnish[llamacpp]'" in record["forms"]["gguf-q8_0"]["why"]


def spoilt(name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Decoder], dict[str, torch.Tensor]]:
    """A merge with a fault in one weight."""
    merged = stage.merged_tensors

    def merge(decoder: Decoder) -> dict[str, torch.Tensor]:
        tensors = merged(decoder)
        return tensors | {name: change(tensors[name])}

    return merge


def test_a_fault_in_one_weight_fails_every_form_and_none_is_kept(
    base: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = spoilt("model.layers.1.self_attn.q_proj.weight", lambda tensor: tensor.roll(1, 0))
    monkeypatch.setattr(stage, "merged_tensors", heads)
    run = RunFolder(tmp_path / "run")
    with pytest.raises(ParityError, match="does not answer as the trained model") as caught:
        run_export(base, run, ["merged", "gguf-q8_0"])
    record = json.loads(run.parity.read_text())
    assert record["status"] == "failed"
    assert statuses(record)["merged"] == "failed"
    assert "merged: " in caught.value.seen
    assert not (run.export / "merged").exists()
    if llamacpp.installed():
        assert {path.name for path in run.export.iterdir()} == {"parity.json", "README.md", MANIFEST}


def test_the_form_that_passes_is_kept_beside_one_that_fails(
    base: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "check_gguf", lambda *_: {"status": "failed", "why": "made to"})
    run = RunFolder(tmp_path / "run")
    with pytest.raises(ParityError):
        run_export(base, run, ["merged", "gguf-q8_0"])
    assert {path.name for path in run.export.iterdir()} == {"merged", "parity.json", "README.md", MANIFEST, "serve"}
    assert differences(run.export) == []


def test_the_exported_base_without_its_training_is_told_from_the_specialist(
    base: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "merged_tensors", lambda decoder: base.tensors)
    with pytest.raises(ParityError):
        run_export(base, RunFolder(tmp_path / "run"), ["merged"])


def test_weights_rounded_to_16_bits_are_also_checked_before_rounding(base: Checkpoint, tmp_path: Path) -> None:
    halves = replace(base, tensors={name: tensor.bfloat16() for name, tensor in base.tensors.items()})
    record = run_export(halves, RunFolder(tmp_path / "run"), ["merged"], decoder=specialist(halves))
    merged = record["forms"]["merged"]
    assert merged["dtype"] == "bfloat16"
    assert merged["before_rounding"]["status"] == "passed"
    assert merged["before_rounding"]["measured"]["max_difference"] < merged["measured"]["max_difference"]


def test_an_older_export_stays_until_the_new_one_is_whole(
    base: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path / "run")
    run_export(base, run, ["merged"])
    before = run.parity.read_bytes()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(forms, "check_merged", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_export(base, run, ["merged"])
    assert run.parity.read_bytes() == before
    assert not list(run.path.glob("export.tmp-*"))


@pytest.mark.model
def test_the_bundled_model_passes(smollm_path: Path, tmp_path: Path) -> None:
    made = read_checkpoint(smollm_path)
    record = export(
        RunFolder(tmp_path), ExportSettings(forms=["gguf-q8_0"], parity_prompts=2), checkpoint=made,
        specialist=specialist(made, scale=0.01), renderer=make_renderer(made.tokenizer, made.generation),
        prompts=CONVERSATIONS, max_new_tokens=6, say=lambda text: None,
    )  # fmt: skip
    form = record["forms"]["gguf-q8_0"]
    assert form["status"] == ("passed" if llamacpp.installed() else "not checked"), form
    if llamacpp.installed():
        assert form["before_rounding"]["measured"]["max_difference"] < 1e-3


def test_no_prompts_is_an_error(base: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(BurnishError, match="no prompts"):
        export(
            RunFolder(tmp_path), ExportSettings(), checkpoint=base, specialist=specialist(base),
            renderer=make_renderer(base.tokenizer), prompts=[], max_new_tokens=4, say=lambda text: None,
        )  # fmt: skip
