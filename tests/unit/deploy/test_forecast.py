"""What rounding takes of an update: the forecast by hand, the measured share, and both in an export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from burnish.adapt import lora, methods
from burnish.adapt.settings import LoRASettings
from burnish.core.errors import ParityError
from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder
from burnish.deploy.dense_merge import Trained
from burnish.deploy.export import export
from burnish.deploy.forecast import Forecast, float_grid, forecast, gguf_grid, rounded, survived, with_survival
from burnish.deploy.gguf_write import NumberFormat
from burnish.deploy.parity import LIMITS
from burnish.deploy.settings import ExportSettings
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.few_bits import in_few_bits
from burnish.model.load import build_decoder
from burnish.model.packing import Packing
from burnish.render.renderer import make_renderer
from tests.unit.deploy.models import CONVERSATIONS, read_family, specialist
from tests.unit.deploy.test_gguf import written

NAME = "model.layers.0.mlp.up_proj.weight"


def whole_numbers(_: str, weight: Tensor) -> Tensor:
    return weight.round()


def of(before: list[float], after: list[float]) -> Forecast | None:
    return forecast({NAME: torch.tensor([before])}, {NAME: torch.tensor([after])}, whole_numbers)


def test_the_forecast_by_hand() -> None:
    # Update (1, 0.2), change on the grid (1, 0): ⟨D, ΔW⟩ = 1 of 1.04, so 1/26 is lost. Of ‖D‖² = 1,
    # (25/26)² · 1.04 lies along ΔW; the rest, 1/26, is 1/26 / 1.04 = 0.036982 of the update's energy.
    seen = of([3.0, 5.0], [4.0, 5.2])
    assert seen is not None
    assert seen.lost == pytest.approx(1 / 26, rel=1e-5)
    assert seen.noise == pytest.approx(1 / 26 / 1.04, rel=1e-4)


def test_an_update_under_half_a_step_of_a_base_on_the_grid_is_lost_whole() -> None:
    seen = of([3.0, -5.0, 8.0], [3.4, -5.3, 7.7])
    assert seen == Forecast(lost=1.0, noise=0.0, matrices=1)
    assert "100% of the update would round away in the q4_0 grid" in seen.text("gguf-q4_0", "q4_0")
    assert "keep the adapter, or merge into gguf-f16" in seen.text("gguf-q4_0", "q4_0")


def test_off_the_grid_a_small_update_becomes_noise_and_is_not_lost() -> None:
    generator = torch.Generator().manual_seed(0)
    base = torch.rand(400, 500, generator=generator) * 20
    seen = forecast({NAME: base}, {NAME: base + 0.1}, whole_numbers)
    # One weight in ten moves by 1: 0.1 of the weights · 1² against 0.1² is 10 times the energy, 9 of it noise.
    assert seen is not None
    assert seen.lost == pytest.approx(0, abs=0.02)
    assert seen.noise == pytest.approx(9, rel=0.05)


def test_a_grid_that_holds_the_update_loses_nothing() -> None:
    assert of([3.0, -5.0], [4.0, -7.0]) == Forecast(lost=0.0, noise=0.0, matrices=1)
    assert of([3.0, -5.0], [3.0, -5.0]) is None


@pytest.mark.parametrize("number_format", ["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"])
def test_a_grids_points_are_what_the_file_holds(number_format: NumberFormat, tmp_path: Path) -> None:
    made = read_family("llama", tmp_path / "base")
    back = read_checkpoint(written(made, tmp_path / "m.gguf", number_format))
    tensors = methods.merged_tensors(specialist(made))
    for name, tensor in rounded(tensors, gguf_grid(number_format, "llama")).items():
        assert torch.equal(back.tensors[name].float(), tensor), name


def test_the_measured_share_by_hand() -> None:
    effect = torch.tensor([[1.0, 2.0], [0.0, -2.0]])
    assert survived(effect, 0.5 * effect).share == pytest.approx(0.5)
    assert survived(effect, torch.zeros(2, 2)).share == 0
    other = torch.tensor([[0.0, 0.0], [3.0, 0.0]])  # orthogonal: 9 against 1 + 4 + 4
    seen = survived(effect, effect + other)
    assert (seen.share, seen.noise, seen.effect) == (pytest.approx(1), pytest.approx(1), pytest.approx(1.5))
    assert survived(1e-6 * effect, effect).share is None


def test_a_form_fails_under_the_limit_where_there_was_an_effect() -> None:
    effect = torch.ones(4, 4)
    passed = {"status": "passed", "why": ""}
    assert with_survival(passed, survived(effect, 0.7 * effect), LIMITS["q4_0"])["status"] == "passed"
    line = with_survival(passed, survived(effect, 0.5 * effect), LIMITS["q4_0"])
    assert (line["status"], line["why"]) == ("failed", "50% of the tuned effect survived the rounding, under 60%")
    assert with_survival(passed, survived(0.01 * effect, 0 * effect), LIMITS["q4_0"])["status"] == "passed"


def on_the_grid(made: Checkpoint, number_format: NumberFormat) -> Checkpoint:
    """The base as a file in this format holds it."""
    return Checkpoint(
        made.config, rounded(made.tensors, gguf_grid(number_format, "llama")), made.tokenizer, made.path, {}
    )


def run_export(
    made: Checkpoint, tuned: Decoder, folder: Path, forms: list[str], said: list[str], trained: Trained | None = None
) -> dict[str, Any]:
    run = RunFolder(folder)
    run.create()
    return export(
        run, ExportSettings(forms=forms, parity_prompts=3), checkpoint=made, specialist=tuned,
        renderer=make_renderer(made.tokenizer, made.generation), prompts=CONVERSATIONS, max_new_tokens=8,
        say=said.append, trained=trained,
    )  # fmt: skip


def evenly_tuned(made: Checkpoint, b: float) -> Decoder:
    """The same small update on every weight of the layers: 8 · 0.01 · b."""
    tuned = specialist(made, scale=0.0)
    for layer in lora.layers(tuned).values():
        layer.lora_A.data.fill_(0.01)
        layer.lora_B.data.fill_(b)
    return tuned


def test_an_update_smaller_than_the_grid_is_forecast_and_measured_as_lost(tmp_path: Path) -> None:
    """Guards against merges that rounding erases in silence (peft 2321, mlx-tune 15)."""
    made, said = on_the_grid(read_family("llama", tmp_path / "base"), "q4_0"), []
    # 0.0004 a weight, of steps of about 0.03. A block's largest weight moves the step itself a little: not all is lost.
    record = run_export(made, evenly_tuned(made, 0.005), tmp_path / "run", ["gguf-q4_0", "gguf-f16"], said)
    form = record["forms"]["gguf-q4_0"]
    assert form["forecast"]["lost"] > 0.9
    assert abs(form["survived"]["share"]) < 0.05
    assert record["forms"]["gguf-f16"]["forecast"]["lost"] < 0.05
    lines = [line for line in said if "q4_0" in line]
    assert lines[0].startswith("gguf-q4_0: forecast: 96% of the update would round away in the q4_0 grid")
    assert lines[1] == "Writing model-q4_0.gguf", "not before the forecast"
    assert "2% of the tuned effect (0.014 nats) survived the rounding" in lines[2]


def test_where_the_lost_effect_was_large_the_form_is_not_kept(tmp_path: Path) -> None:
    made = on_the_grid(read_family("llama", tmp_path / "base"), "q4_0")
    with pytest.raises(ParityError, match="gguf-q4_0"):
        run_export(made, evenly_tuned(made, 0.1), tmp_path / "run", ["gguf-q4_0"], [])
    form = read_json(RunFolder(tmp_path / "run").parity)["forms"]["gguf-q4_0"]
    assert "1% of the tuned effect survived the rounding, under 60%" in form["why"]
    assert form["forecast"]["lost"] > 0.9
    assert not (tmp_path / "run" / "export" / "model-q4_0.gguf").exists()


def test_an_adapter_of_a_rounded_base_says_what_the_dense_one_changes(tmp_path: Path) -> None:
    made, said = read_family("llama", tmp_path / "base"), []

    def as_trained(scale: float = 1.0) -> Decoder:
        packing = Packing(in_few_bits(made.tensors, "int8", torch.device("cpu")))
        decoder = build_decoder(
            made.config, made.tensors, dtype=torch.float32, device=torch.device("cpu"), packing=packing
        )
        lora.apply(decoder, LoRASettings(r=4, alpha=8.0), seed=0)
        for name, layer in lora.layers(decoder).items():
            layer.lora_A.data.copy_(lora.layers(tuned)[name].lora_A)
            layer.lora_B.data.copy_(scale * lora.layers(tuned)[name].lora_B)
        return decoder.requires_grad_(False)

    tuned = specialist(made)
    record = run_export(made, tuned, tmp_path / "run", ["merged"], said, Trained("int8", as_trained))
    assert record["forms"]["merged"]["status"] == "passed"
    merge = record["dense_merge"]
    assert (merge["trained_on"], merge["status"]) == ("int8", "passed")
    assert 0 < merge["measured"]["mean_difference"] < 0.15
    assert any("trained on a base in int8 and goes into the dense one" in line for line in said)
    with pytest.raises(ParityError, match="merged") as caught:  # another adapter than the one that was trained
        run_export(made, tuned, tmp_path / "other", ["merged"], said, Trained("int8", lambda: as_trained(-1.0)))
    assert "merged into the dense base" in caught.value.seen


def test_bf16_of_a_bf16_base_is_forecast_too() -> None:
    base = torch.ones(2, 2)
    seen = forecast({NAME: base}, {NAME: base + 1e-3}, float_grid(torch.bfloat16))
    assert seen is not None
    assert seen.lost == 1
    assert "merge into float32" in seen.text("merged", "bfloat16")
