"""Our LoRA computes what peft computes, each reads the other's files, and peft's other methods live in our decoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import AutoModelForCausalLM

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, LoRASettings, PeftSettings
from burnish.core.errors import ModelError, RecipeError
from burnish.model.load import build_decoder
from tests.parity.adapted_models import (
    CONFIGS,
    CPU,
    FOREST,
    IDS,
    adapted,
    base_model,
    decoder_of,
    exact_logits,
    logits_of,
    loss_of,
    saved,
)

LORA = {
    "alpha = 2 r": LoRASettings(r=4, alpha=8),
    "alpha ≠ 2 r": LoRASettings(r=3, alpha=7.5),
    "attention alone": LoRASettings(r=4, alpha=4, targets="attention"),
    "mlp alone": LoRASettings(r=4, alpha=16, targets="mlp"),
    "two names": LoRASettings(r=2, alpha=4, targets=("q_proj", "down_proj")),
}
PEFT = {
    "IA3": PeftSettings(config={"peft_type": "IA3"}),
    "DoRA": PeftSettings(config={"peft_type": "LORA", "use_dora": True, "r": 4}),
    "OFT": PeftSettings(config={"peft_type": "OFT", "oft_block_size": 8}),
    "LoKr": PeftSettings(config={"peft_type": "LOKR", "r": 4, "target_modules": ["q_proj", "v_proj"]}),
    "RandLoRA, which shares its projections": PeftSettings(config={"peft_type": "RANDLORA", "r": 4}),
}


@pytest.mark.parametrize("settings", LORA.values(), ids=LORA)
@pytest.mark.parametrize("name", CONFIGS)
def test_plain_peft_loads_what_we_save_and_answers_alike(name: str, settings: LoRASettings, tmp_path: Path) -> None:
    model = base_model(name)
    decoder = adapted(model, settings)
    base, adapter = saved(decoder, settings, model, tmp_path)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
    ours, expected = logits_of(decoder), theirs(torch.tensor(IDS)[None]).logits[0].detach()
    assert (ours - logits_of(decoder_of(model))).abs().max() > 0.1  # the adapter does something
    assert (ours - expected).abs().max() < 1e-5


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_of_a_and_b_equal_pefts(name: str, tmp_path: Path) -> None:
    model, settings = base_model(name), LORA["alpha ≠ 2 r"]
    decoder = adapted(model, settings)
    base, adapter = saved(decoder, settings, model, tmp_path)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter, is_trainable=True)
    loss_of(theirs(torch.tensor(IDS)[None]).logits[0]).backward()
    torch.autograd.backward(-decoder.logprobs(decoder.hidden(FOREST), FOREST).sum())
    expected = {name: parameter.grad for name, parameter in theirs.named_parameters() if parameter.requires_grad}
    trained = methods.trainable(decoder)
    assert len(trained) == len(expected) == 2 * 2 * 7  # A and B of seven matrices in two layers
    for ours, parameter in trained.items():
        peer = expected[f"base_model.model.{ours}.default.weight"]
        assert peer is not None
        assert parameter.grad is not None
        assert (parameter.grad - peer).abs().max() < 1e-5 * peer.abs().max()


@pytest.mark.parametrize("name", CONFIGS)
def test_the_update_starts_as_pefts_does(name: str) -> None:
    """A is uniform within ± 1/sqrt(inputs) (Kaiming with a = √5), B is zero: nothing changes at first."""
    model = base_model(name)
    peer = get_peft_model(base_model(name), LoraConfig(r=8, target_modules=["q_proj"])).base_model.model
    theirs = peer.model.layers[0].self_attn.q_proj.lora_A["default"].weight
    decoder = decoder_of(model)
    methods.apply(decoder, LoRASettings(r=8, alpha=8), seed=0)
    ours = methods.trainable(decoder)["model.layers.0.self_attn.q_proj.lora_A"]
    bound = 32**-0.5
    assert theirs.abs().max() <= bound
    assert ours.abs().max() <= bound
    assert ours.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)  # of a uniform variable
    assert torch.equal(logits_of(decoder), logits_of(decoder_of(model)))


@pytest.mark.parametrize("settings", [LORA["alpha ≠ 2 r"], LORA["mlp alone"]], ids=["all", "mlp"])
@pytest.mark.parametrize("name", CONFIGS)
def test_merged_tensors_equal_pefts_merge_and_unload(name: str, settings: LoRASettings, tmp_path: Path) -> None:
    model = base_model(name)
    decoder = adapted(model, settings)
    base, adapter = saved(decoder, settings, model, tmp_path)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).merge_and_unload()
    merged = methods.merged_tensors(decoder)
    expected = {key: value for key, value in theirs.state_dict().items() if key in merged}
    assert set(expected) == set(theirs.state_dict()) - ({"lm_head.weight"} if name != "untied" else set())
    assert set(merged) == set(expected)
    for key, tensor in merged.items():
        assert (tensor - expected[key]).abs().max() < 1e-6, key
    again = build_decoder(model.config.to_dict(), merged, dtype=torch.float32, device=CPU)
    assert (logits_of(again) - logits_of(decoder)).abs().max() < 1e-5


@pytest.mark.parametrize("settings", PEFT.values(), ids=PEFT)
@pytest.mark.parametrize("name", ["untied", "with biases"])
def test_pefts_own_methods_train_save_load_and_merge(name: str, settings: PeftSettings, tmp_path: Path) -> None:
    model = base_model(name)
    decoder = adapted(model, settings)
    before = {key: parameter.detach().clone() for key, parameter in methods.trainable(decoder).items()}
    optimiser = torch.optim.AdamW(methods.trainable(decoder).values(), lr=1e-2)
    torch.autograd.backward(-decoder.logprobs(decoder.hidden(FOREST), FOREST).sum())
    optimiser.step()
    for key, parameter in methods.trainable(decoder).items():
        assert not torch.equal(parameter, before[key]), f"{key} did not change"
    base, adapter = saved(decoder, settings, model, tmp_path)
    fresh = decoder_of(model)
    torch.manual_seed(99)  # another start than at first: everything that counts must come from the file
    methods.load_adapter(fresh, settings, adapter)
    assert torch.equal(fresh.hidden(FOREST), decoder.hidden(FOREST))
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).eval()
    # In float64 but for the norms, which transformers keeps in float32: that alone is 5e-7 here, and 9e-5 in RandLoRA,
    # whose update is a sum of large products. Our own forms agree to 1e-9, RandLoRA's too.
    wide = exact_logits(fresh.double())
    close = 2e-4 if settings.config["peft_type"] == "RANDLORA" else 1e-6
    assert (theirs.double()(torch.tensor(IDS)[None]).logits[0] - wide).abs().max() < close
    again = build_decoder(model.config.to_dict(), methods.merged_tensors(fresh), dtype=torch.float64, device=CPU)
    assert (exact_logits(again) - wide).abs().max() < 1e-9


@pytest.mark.parametrize("settings", [LORA["alpha = 2 r"], *PEFT.values()], ids=["LoRA", *PEFT])
def test_switched_off_the_network_is_the_base_to_the_last_bit(settings: AdaptSettings) -> None:
    model = base_model("untied")
    base, decoder = logits_of(decoder_of(model)), adapted(model, settings)
    tuned = logits_of(decoder)
    with methods.switched_off(decoder):
        assert torch.equal(logits_of(decoder), base)
    assert torch.equal(logits_of(decoder), tuned)
    assert not torch.equal(tuned, base)


@pytest.mark.parametrize(
    "settings",
    [LORA["alpha = 2 r"], FullSettings(), FreezeSettings(layers=1), *PEFT.values()],
    ids=["LoRA", "full", "freeze", *PEFT],
)
def test_a_step_changes_every_trainable_tensor_and_no_other(settings: AdaptSettings) -> None:
    decoder = decoder_of(base_model("untied"))
    methods.apply(decoder, settings, seed=0)
    trained = set(methods.trainable(decoder))
    before = {name: parameter.detach().clone() for name, parameter in decoder.named_parameters()}
    optimiser = torch.optim.AdamW(methods.trainable(decoder).values(), lr=1e-2, weight_decay=0.0)
    for _ in range(3):  # LoRA's A has no gradient until B has moved
        torch.autograd.backward(-decoder.logprobs(decoder.hidden(FOREST), FOREST).sum())
        optimiser.step()
        optimiser.zero_grad()
    changed = {name for name, parameter in decoder.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed == trained


@pytest.mark.parametrize("settings", [FullSettings(), FreezeSettings(layers=1)], ids=["full", "freeze"])
def test_training_the_weights_leaves_the_checkpoint_that_was_read_as_it_is(settings: AdaptSettings) -> None:
    """The base that the specialist is compared with is built from the same tensors."""
    tensors = dict(base_model("tied").state_dict())
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    decoder = build_decoder(CONFIGS["tied"].to_dict(), tensors, dtype=torch.float32, device=CPU)
    methods.apply(decoder, settings)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in tensors.items())


def test_what_trains_is_float32_beside_a_base_in_bfloat16() -> None:
    settings = LORA["alpha = 2 r"]
    decoder = decoder_of(base_model("tied"), torch.bfloat16)
    methods.apply(decoder, settings)
    assert {parameter.dtype for parameter in methods.trainable(decoder).values()} == {torch.float32}
    assert decoder.hidden(FOREST).dtype == torch.bfloat16
    merged = methods.merged_tensors(decoder)
    assert merged["model.layers.0.mlp.up_proj.weight"].dtype == torch.float32


@pytest.mark.parametrize("settings", [LORA["alpha = 2 r"], PEFT["IA3"]], ids=["LoRA", "IA3"])
@pytest.mark.parametrize("damage", ["missing key", "extra key", "other shape", "one row, which would spread"])
def test_an_adapter_that_does_not_fit_is_refused(settings: AdaptSettings, damage: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = base_model("tied")
    _, adapter = saved(adapted(model, settings), settings, model, tmp_path)
    path = adapter / methods.WEIGHTS
    tensors = load_file(path)
    name = sorted(tensors)[0]
    tensor = tensors.pop(name)
    changes: dict[str, dict[str, Tensor]] = {
        "missing key": {},
        "extra key": {name: tensor, "base_model.model.model.layers.9.mlp.up_proj.lora_A.weight": tensor.clone()},
        "other shape": {name: torch.zeros(2 * tensor.shape[0], *tensor.shape[1:])},
        "one row, which would spread": {name: torch.zeros(1, 1)},
    }
    save_file({**tensors, **changes[damage]}, path)
    with pytest.raises(ModelError, match="does not fit"):
        methods.load_adapter(decoder_of(model), settings, adapter)


@pytest.mark.parametrize(
    "keep", [0, 7, 100, -1], ids=["empty", "cut in the length", "cut in the header", "one byte short"]
)
def test_a_truncated_adapter_is_refused(keep: int, tmp_path: Path) -> None:
    model, settings = base_model("tied"), LORA["alpha = 2 r"]
    _, adapter = saved(adapted(model, settings), settings, model, tmp_path)
    path = adapter / methods.WEIGHTS
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="cannot be read"):
        methods.load_adapter(decoder_of(model), settings, adapter)


def test_the_adapters_configuration_is_plain_json_for_every_method(tmp_path: Path) -> None:
    for index, settings in enumerate([LORA["two names"], *PEFT.values()]):
        methods.save_adapter(adapted(base_model("tied"), settings), settings, tmp_path / str(index), base="base")
        config: dict[str, Any] = json.loads((tmp_path / str(index) / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == "base"
        assert config["inference_mode"] is True


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"peft_type": "LORRA"}, "not one of peft's types"),
        ({}, "not one of peft's types"),
        ({"peft_type": "LORA", "rank": 4}, "peft refuses"),
        ({"peft_type": "IA3", "target_modules": ["qkv"]}, "can't put this adapter"),
        ({"peft_type": "VERA"}, "can't put this adapter"),
    ],
)
def test_what_peft_cannot_do_is_an_error_of_the_recipe(config: dict[str, Any], text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        methods.apply(decoder_of(base_model("tied")), PeftSettings(config=config))


def test_a_target_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(RecipeError, match="qkv_proj") as caught:
        methods.apply(decoder_of(base_model("tied")), LoRASettings(targets=("q_proj", "qkv_proj")))
    assert "gate_proj" in caught.value.next_move


def test_more_layers_to_train_than_there_are_is_an_error() -> None:
    with pytest.raises(RecipeError, match="more than the model has"):
        methods.apply(decoder_of(base_model("tied")), FreezeSettings(layers=3))
