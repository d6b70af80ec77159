"""Several adapters on one base: the sum is exact, what is written is what plain peft adds up, files are data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import LlamaForCausalLM

from burnish.adapt import methods
from burnish.adapt.lora_file import read_lora
from burnish.adapt.settings import AdaptSettings, LoRASettings
from burnish.adapt.several import load_several
from burnish.core.errors import BurnishError, ModelError, RecipeError
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from tests.tiny import make_model

IDS = list(range(3, 33))
FOREST = plant([Segment(IDS, [1.0] * len(IDS))])
KINDS = {
    "a": LoRASettings(r=4, alpha=8),
    "b": LoRASettings(r=3, alpha=7, rslora=True, targets="mlp"),
    "c": LoRASettings(r=2, alpha=8, ranks={"layers.0.*": 5}, start="pissa"),
}


def model() -> LlamaForCausalLM:
    return make_model(97)


def decoder_of() -> Decoder:
    made = model()
    return build_decoder(
        made.config.to_dict(), dict(made.state_dict()), dtype=torch.float32, device=torch.device("cpu")
    )


def logits(decoder: Decoder) -> Tensor:
    return decoder.logits(decoder.hidden(FOREST)).detach()


def save(folder: Path, settings: AdaptSettings, seed: int) -> Tensor:
    """Writes an adapter that changes something. Returns its logits."""
    decoder = decoder_of()
    methods.apply(decoder, settings, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    methods.save_adapter(decoder, settings, folder, base="base")
    return logits(decoder)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    for seed, (name, settings) in enumerate(KINDS.items()):
        save(tmp_path / name, settings, seed)
    return {name: tmp_path / name for name in KINDS}


def test_one_after_the_other_is_in_use_and_then_the_base(tmp_path: Path) -> None:
    alone = {name: save(tmp_path / name, settings, seed) for seed, (name, settings) in enumerate(KINDS.items())}
    base = logits(decoder_of())
    several = load_several(decoder_of(), {name: tmp_path / name for name in KINDS})
    assert torch.equal(logits(several.decoder), base)
    for name in ("a", "c", "b", "a"):
        several.use(name)
        assert (logits(several.decoder) - alone[name]).abs().max() < 1e-5
    several.use()
    assert torch.equal(logits(several.decoder), base)


def test_a_sum_is_the_sum_of_the_merged_weights(folders: dict[str, Path]) -> None:
    """W + 0.7 (Wa - W) - 0.3 (Wb - W) + 1 (Wc - W), worked out in float64."""
    weights = {"a": 0.7, "b": -0.3, "c": 1.0}
    summed = {name: tensor.double() for name, tensor in methods.merged_tensors(decoder_of()).items()}
    before = dict(summed)
    for name, settings in KINDS.items():
        one = decoder_of()
        methods.load_adapter(one, settings, folders[name])
        for matrix, tensor in methods.merged_tensors(one).items():
            summed[matrix] = summed[matrix] + weights[name] * (tensor.double() - before[matrix])
    made = build_decoder(model().config.to_dict(), summed, dtype=torch.float32, device=torch.device("cpu"))
    several = load_several(decoder_of(), folders)
    several.use("c", weights={"a": 0.7, "b": -0.3})
    assert (logits(several.decoder) - logits(made)).abs().max() < 1e-5


@pytest.mark.parametrize("weights", [{"a": 0.7, "b": 0.3}, {"b": 2.0}, {"a": 1.0, "b": 1.0, "c": -0.5}])
def test_plain_peft_and_we_read_the_sum_that_was_written(folders: dict[str, Path], weights: dict[str, float]) -> None:
    several = load_several(decoder_of(), folders)
    several.use(weights=weights)
    ours, folder = logits(several.decoder), folders["a"].parent / "sum"
    several.combine(weights, folder, base="base")
    theirs = PeftModel.from_pretrained(model(), folder)
    assert (theirs(torch.tensor(IDS)[None]).logits[0].detach() - ours).abs().max() < 1e-5
    again = load_several(decoder_of(), {"sum": folder})
    again.use("sum")
    assert (logits(again.decoder) - ours).abs().max() < 1e-5


def test_peft_adds_up_alike(folders: dict[str, Path]) -> None:
    theirs = PeftModel.from_pretrained(model(), folders["a"], adapter_name="a")
    theirs.load_adapter(folders["b"], adapter_name="b")
    theirs.base_model.set_adapter(["a", "b"])
    several = load_several(decoder_of(), folders)
    several.use("a", "b")
    assert (theirs(torch.tensor(IDS)[None]).logits[0].detach() - logits(several.decoder)).abs().max() < 1e-5


def changed(folder: Path, **config: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **config}))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"use_dora": True}, "Only plain LoRA"),
        ({"peft_type": "IA3"}, "Only plain LoRA"),
        ({"bias": "all"}, "Only plain LoRA"),
        ({"lora_alpha": "x"}, "no number above zero"),
        ({"lora_alpha": True}, "no number above zero"),
        ({"alpha_pattern": {"(a+)+": 2}}, "not made of names"),
        ({"alpha_pattern": {"a\\": 2}}, "not made of names"),
        ({"alpha_pattern": {".*.*.*.*a": 2}}, "not made of names"),
        ({"alpha_pattern": [1]}, "not made of names"),
    ],
)
def test_a_configuration_that_means_more_or_nothing_is_refused(
    tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    save(tmp_path, KINDS["a"], 0)
    changed(tmp_path, **config)
    with pytest.raises(ModelError, match=message):
        read_lora(tmp_path)


@pytest.mark.parametrize(
    "what", ["missing half", "other rank", "extra", "not finite", "cut", "no config", "other width"]
)
def test_tensors_that_do_not_fit_are_refused(tmp_path: Path, what: str) -> None:
    save(tmp_path, KINDS["a"], 0)
    path = tmp_path / "adapter_model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if "lora_A" in name)
    edits = {
        "missing half": {key: value for key, value in tensors.items() if key != name},
        "other rank": {**tensors, name: tensors[name][:2].clone()},
        "extra": {**tensors, "model.norm.weight": torch.ones(3)},
        "not finite": {**tensors, name: tensors[name] * float("inf")},
        "other width": {**tensors, name: tensors[name][:, :-1].contiguous()},
    }
    if what in edits:
        save_file(edits[what], path)
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:500])
    else:
        (tmp_path / "adapter_config.json").unlink()
    with pytest.raises(ModelError):
        load_several(decoder_of(), {"a": tmp_path})


def test_an_unknown_name_and_a_weight_that_is_no_number_are_refused(folders: dict[str, Path]) -> None:
    several = load_several(decoder_of(), folders)
    for weights in ({"x": 1.0}, {"a": float("nan")}):
        with pytest.raises(RecipeError):
            several.use(weights=weights)
    with pytest.raises(BurnishError, match="no adapter to write"):
        several.combine({}, folders["a"].parent / "none", base="base")
