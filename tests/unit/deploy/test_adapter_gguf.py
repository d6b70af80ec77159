"""A LoRA adapter as a file for llama.cpp: what it computes there is what was trained, and it comes back whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from burnish.adapt import lora, methods
from burnish.adapt.settings import LoRASettings
from burnish.core.errors import ModelError, ParityError
from burnish.core.run_folder import RunFolder
from burnish.deploy import llamacpp
from burnish.deploy.adapter_gguf import read_adapter_gguf, write_adapter_gguf
from burnish.deploy.export import export
from burnish.deploy.settings import ExportSettings
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.config import decoder_config
from burnish.model.decoder import Decoder
from burnish.model.gguf_file import read_gguf
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer
from tests.unit.deploy.models import CONVERSATIONS, read_family, specialist

WEIGHTS, OPTIONS = "adapter_model.safetensors", "adapter_config.json"


PLAIN = LoRASettings(r=4, alpha=8.0)
# One matrix of another rank; all count alpha / sqrt(r) times.
UNEVEN = LoRASettings(r=4, alpha=6.0, rslora=True, ranks={"k_proj": 2, "layers.1.*.down_proj": 9})


def write_adapter(decoder: Decoder, folder: Path, settings: LoRASettings = PLAIN) -> Path:
    methods.save_adapter(decoder, settings, folder, base="base")
    return folder


def trained(base: Checkpoint, settings: LoRASettings) -> Decoder:
    """The base with a random update of these settings."""
    decoder = build_decoder(base.config, base.tensors, dtype=torch.float32, device=torch.device("cpu"))
    methods.apply(decoder, settings, seed=0)
    generator = torch.Generator().manual_seed(1)
    for layer in lora.layers(decoder).values():
        layer.lora_B.data.normal_(0, 0.05, generator=generator)
    return decoder.requires_grad_(False)


def changed(folder: Path, change: Callable[[dict[str, Any], dict[str, Tensor]], None]) -> Path:
    """An adapter with other options or tensors."""
    options, tensors = json.loads((folder / OPTIONS).read_text()), load_file(folder / WEIGHTS)
    change(options, tensors)
    (folder / OPTIONS).write_text(json.dumps(options))
    save_file(tensors, folder / WEIGHTS)
    return folder


def update(options: dict[str, Any], tensors: dict[str, Tensor], module: str) -> Tensor:
    """(alpha / r) B A of one matrix, as peft has it."""
    a, b = (tensors[f"base_model.model.{module}.lora_{side}.weight"] for side in "AB")
    r = options.get("rank_pattern", {}).get(module, options["r"])
    alpha = options.get("alpha_pattern", {}).get(module, options["lora_alpha"])
    assert len(a) == r
    scaled: Tensor = b @ a * (alpha / (r**0.5 if options.get("use_rslora") else r))
    return scaled


def write(folder: Path, path: Path, base: Checkpoint) -> Path:
    write_adapter_gguf(path, folder, decoder_config(base.config), name="mine", base="base.gguf", base_sha256="0" * 64)
    return path


def no_change(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """As it was written."""


def rslora(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    options["use_rslora"] = True


def ranks_and_alphas(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """One matrix of rank 2, another of the file's rank with an alpha of its own."""
    narrow, loud = "model.layers.0.self_attn.q_proj", "model.layers.1.mlp.up_proj"
    options |= {"rank_pattern": {narrow: 2}, "alpha_pattern": {loud: 20.0}}
    tensors[f"base_model.model.{narrow}.lora_A.weight"] = tensors[f"base_model.model.{narrow}.lora_A.weight"][
        :2
    ].clone()
    b = tensors[f"base_model.model.{narrow}.lora_B.weight"]
    tensors[f"base_model.model.{narrow}.lora_B.weight"] = b[:, :2].clone()


@pytest.mark.parametrize("change", [no_change, rslora, ranks_and_alphas])
@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2", "gemma3"])
def test_what_was_written_comes_back_as_the_same_updates(
    family: str, change: Callable[[dict[str, Any], dict[str, Tensor]], None], tmp_path: Path
) -> None:
    base = read_family(family, tmp_path / "base")
    decoder = specialist(base)
    folder = changed(write_adapter(decoder, tmp_path / "adapter"), change)
    tensors, options = read_adapter_gguf(write(folder, tmp_path / "a.gguf", base), decoder_config(base.config))
    before, weights = json.loads((folder / OPTIONS).read_text()), load_file(folder / WEIGHTS)
    assert tensors.keys() == weights.keys()
    for module in lora.layers(decoder):
        torch.testing.assert_close(update(options, tensors, module), update(before, weights, module))


def test_with_one_rank_and_alpha_the_tensors_themselves_come_back(tmp_path: Path) -> None:
    base = read_family("llama", tmp_path / "base")
    folder = write_adapter(specialist(base), tmp_path / "adapter")
    tensors, options = read_adapter_gguf(write(folder, tmp_path / "a.gguf", base), decoder_config(base.config))
    assert options["r"] == 4
    assert options["lora_alpha"] == 8.0
    assert all(torch.equal(tensors[name], weight) for name, weight in load_file(folder / WEIGHTS).items())


def test_alpha_of_rslora_is_alpha_times_the_root_of_the_rank(tmp_path: Path) -> None:
    base = read_family("llama", tmp_path / "base")
    folder = changed(write_adapter(specialist(base), tmp_path / "adapter"), rslora)
    # llama.cpp: 16 / 4 = 4; rsLoRA: 8 / sqrt(4) = 4
    assert read_gguf(write(folder, tmp_path / "a.gguf", base)).metadata["adapter.lora.alpha"] == 16.0


def dora(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    options["use_dora"] = True


def biases(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    options["bias"] = "all"


def another_type(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    options["peft_type"] = "IA3"


def an_embedding(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    tensors["base_model.model.model.embed_tokens.lora_embedding_A"] = torch.zeros(4, 320)


def another_width(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"
    tensors[name] = torch.zeros(4, 63)


def half_missing(options: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    del tensors["base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"]


@pytest.mark.parametrize("change", [dora, biases, another_type, an_embedding, another_width, half_missing])
def test_what_the_form_cannot_say_is_refused(
    change: Callable[[dict[str, Any], dict[str, Tensor]], None], tmp_path: Path
) -> None:
    base = read_family("llama", tmp_path / "base")
    folder = changed(write_adapter(specialist(base), tmp_path / "adapter"), change)
    with pytest.raises(ModelError):
        write(folder, tmp_path / "a.gguf", base)


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    llama, qwen = read_family("llama", tmp_path / "base"), read_family("qwen3", tmp_path / "other")
    path = write(write_adapter(specialist(llama), tmp_path / "adapter"), tmp_path / "a.gguf", llama)
    with pytest.raises(ModelError, match=r"no llama\.cpp LoRA adapter for this base"):
        read_adapter_gguf(path, decoder_config(qwen.config))


def test_no_changed_byte_of_the_header_lets_another_error_out(tmp_path: Path) -> None:
    base = read_family("llama", tmp_path / "base")
    path = write(write_adapter(specialist(base), tmp_path / "adapter"), tmp_path / "a.gguf", base)
    whole, config = path.read_bytes(), decoder_config(base.config)
    for at in range(0, 1500, 31):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        with contextlib.suppress(ModelError):
            read_adapter_gguf(path, config)


def run_export(
    base: Checkpoint, run: RunFolder, forms: list[str], decoder: Decoder, settings: LoRASettings = PLAIN
) -> dict[str, Any]:
    run.create()
    write_adapter(decoder, run.adapter, settings)
    return export(
        run,
        ExportSettings(forms=tuple(forms), parity_prompts=3),
        checkpoint=base,
        specialist=decoder,
        renderer=make_renderer(base.tokenizer, base.generation),
        prompts=CONVERSATIONS,
        max_new_tokens=8,
        say=lambda text: None,
    )


@pytest.mark.skipif(not llamacpp.installed(), reason="xllamacpp is not installed")
@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3"])
def test_llamacpp_answers_with_the_adapter_as_the_trained_model_does(family: str, tmp_path: Path) -> None:
    base = read_family(family, tmp_path / "base")
    settings = UNEVEN if family == "llama" else PLAIN
    record = run_export(base, RunFolder(tmp_path / "run"), ["adapter-gguf"], trained(base, settings), settings)
    form = record["forms"]["adapter-gguf"]
    assert form["status"] == "passed", form["why"]
    assert form["measured"]["answers_equal"] == form["measured"]["answers"] == 3
    assert form["measured"]["adapter_changes"] > 0.1
    assert form["base_alone"]["answers_equal"] == 3


@pytest.mark.skipif(not llamacpp.installed(), reason="xllamacpp is not installed")
def test_on_a_quantised_file_it_is_held_to_what_the_file_reaches_alone(tmp_path: Path) -> None:
    folder = read_family("llama", tmp_path / "base")
    first = RunFolder(tmp_path / "first")
    run_export(folder, first, ["gguf-q8_0"], specialist(folder, scale=0.0))
    base = read_checkpoint(first.export / "model-q8_0.gguf")
    run = RunFolder(tmp_path / "run")
    record = run_export(base, run, ["adapter-gguf"], specialist(base))
    form = record["forms"]["adapter-gguf"]
    assert form["status"] == "passed", form["why"]
    assert form["limits"]["top1_agreement"] == min(form["base_alone"]["top1_agreement"], 0.99)
    assert form["float32_copy"]["status"] == "passed"
    assert not (run.export / "base-f32.gguf").exists()
    lines = (run.export / "Modelfile").read_text().splitlines()
    assert lines[:2] == [f"FROM {base.path}", "ADAPTER ./adapter.gguf"]


@pytest.mark.skipif(not llamacpp.installed(), reason="xllamacpp is not installed")
def test_an_adapter_of_another_training_is_not_kept(tmp_path: Path) -> None:
    base = read_family("llama", tmp_path / "base")
    run = RunFolder(tmp_path / "run")
    run.create()
    decoder = specialist(base)
    write_adapter(specialist(base, scale=0.0), run.adapter)  # B is zero: it changes nothing
    with pytest.raises(ParityError, match="adapter changes nothing"):
        export(
            run,
            ExportSettings(forms=("adapter-gguf",), parity_prompts=3),
            checkpoint=base,
            specialist=decoder,
            renderer=make_renderer(base.tokenizer, base.generation),
            prompts=CONVERSATIONS,
            max_new_tokens=8,
            say=lambda text: None,
        )
    assert not (run.export / "adapter.gguf").exists()


@pytest.mark.model
@pytest.mark.skipif(not llamacpp.installed(), reason="xllamacpp is not installed")
def test_on_the_bundled_file_the_adapter_answers_exactly_in_float32_and_as_well_as_the_file_itself(
    smollm_path: Path, tmp_path: Path
) -> None:
    made = read_checkpoint(smollm_path)
    run = RunFolder(tmp_path)
    run.create()
    decoder = specialist(made, scale=0.01)
    write_adapter(decoder, run.adapter)
    record = export(
        run, ExportSettings(forms=("adapter-gguf",), parity_prompts=2), checkpoint=made, specialist=decoder,
        renderer=make_renderer(made.tokenizer, made.generation), prompts=CONVERSATIONS, max_new_tokens=6,
        say=lambda text: None,
    )  # fmt: skip
    form = record["forms"]["adapter-gguf"]
    assert form["float32_copy"]["measured"]["answers_equal"] == 2
    assert form["float32_copy"]["measured"]["max_difference"] < 1e-3
    assert form["status"] == "passed", form["why"]
