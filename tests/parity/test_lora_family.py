"""rsLoRA, DoRA, PiSSA, ranks by matrix and dropout compute what peft computes, and plain peft reads what we save."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from burnish.adapt import lora, methods
from burnish.adapt.settings import GROUPS, LoRASettings
from burnish.core.errors import RecipeError
from burnish.model.load import build_decoder
from tests.parity.adapted_models import (
    CPU,
    FOREST,
    IDS,
    adapted,
    base_model,
    decoder_of,
    logits_of,
    loss_of,
    saved,
)

FAMILY = {
    "rsLoRA": LoRASettings(r=4, alpha=6, rslora=True),
    "DoRA": LoRASettings(r=4, alpha=8, dora=True),
    "PiSSA": LoRASettings(r=4, alpha=8, start="pissa"),
    "PiSSA, rsLoRA": LoRASettings(r=4, alpha=6, start="pissa", rslora=True),
    "PiSSA, DoRA": LoRASettings(r=4, alpha=6, start="pissa", dora=True),
    "ranks": LoRASettings(r=4, alpha=8, ranks={"layers.0.mlp.*": 2, "down_proj": 7}),
    "all at once": LoRASettings(r=3, alpha=5, ranks={"o_proj": 2}, start="pissa", dora=True, rslora=True, plus_ratio=4),
    "dropout": LoRASettings(r=4, alpha=8, dropout=0.3),
}
EVERY = pytest.mark.parametrize("settings", FAMILY.values(), ids=FAMILY)


@EVERY
@pytest.mark.parametrize("name", ["tied", "untied", "with biases"])
def test_what_is_saved_answers_alike_in_peft_and_loaded_and_merged(
    name: str, settings: LoRASettings, tmp_path: Path
) -> None:
    model = base_model(name)
    plain, decoder = logits_of(decoder_of(model)), adapted(model, settings)
    with torch.no_grad():  # without gradients nothing is dropped
        ours = logits_of(decoder)
    assert (ours - plain).abs().max() > 0.1  # the adapter does something
    with methods.switched_off(decoder):
        assert torch.equal(logits_of(decoder), plain)
    base, adapter = saved(decoder, settings, model, tmp_path)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
    assert (ours - theirs(torch.tensor(IDS)[None]).logits[0]).abs().max() < 1e-5
    fresh = decoder_of(model)
    methods.load_adapter(fresh, settings, adapter)
    assert torch.equal(logits_of(fresh), ours)
    for one in (decoder, fresh):
        again = build_decoder(model.config.to_dict(), methods.merged_tensors(one), dtype=torch.float32, device=CPU)
        assert (logits_of(again) - ours).abs().max() < 1e-5


@pytest.mark.parametrize("kind", ["rsLoRA", "DoRA", "ranks"])
@pytest.mark.parametrize("name", ["untied", "with biases"])
def test_gradients_equal_pefts(name: str, kind: str, tmp_path: Path) -> None:
    model, settings = base_model(name), FAMILY[kind]
    decoder = adapted(model, settings)
    base, adapter = saved(decoder, settings, model, tmp_path)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter, is_trainable=True)
    loss_of(theirs(torch.tensor(IDS)[None]).logits[0]).backward()
    torch.autograd.backward(-decoder.logprobs(decoder.hidden(FOREST), FOREST).sum())
    expected = {name: parameter.grad for name, parameter in theirs.named_parameters() if parameter.requires_grad}
    trained = methods.trainable(decoder)
    assert len(trained) == len(expected) == (3 if kind == "DoRA" else 2) * 2 * 7
    for ours, parameter in trained.items():
        peer = expected[f"base_model.model.{ours}.default.weight"]
        assert peer is not None
        assert parameter.grad is not None
        assert (parameter.grad - peer).abs().max() < 2e-5 * peer.abs().max()


@pytest.mark.parametrize("rslora", [False, True])
def test_pissa_starts_as_the_base_and_takes_pefts_step(rslora: bool) -> None:
    """The signs of singular vectors are free, so what is compared is the weights after a step of gradient descent."""
    model = base_model("untied")
    decoder = decoder_of(model)
    methods.apply(decoder, LoRASettings(r=4, alpha=8, start="pissa", rslora=rslora))
    assert (logits_of(decoder) - logits_of(decoder_of(model))).abs().max() < 1e-5
    config = LoraConfig(
        r=4, lora_alpha=8, use_rslora=rslora, init_lora_weights="pissa", target_modules=list(GROUPS["all-linear"])
    )
    theirs = get_peft_model(model, config)
    loss_of(theirs(torch.tensor(IDS)[None]).logits[0]).backward()
    torch.autograd.backward(-decoder.logprobs(decoder.hidden(FOREST), FOREST).sum())
    for parameters in (theirs.parameters(), methods.trainable(decoder).values()):
        torch.optim.SGD([one for one in parameters if one.requires_grad], lr=1e-3).step()
    ours, merged = methods.merged_tensors(decoder), theirs.merge_and_unload().state_dict()
    before = dict(decoder_of(base_model("untied")).named_parameters())
    for name in lora.layers(decoder):
        moved = (merged[f"{name}.weight"] - before[f"{name}.weight"]).abs().max()
        assert moved > 1e-4
        assert (ours[f"{name}.weight"] - merged[f"{name}.weight"]).abs().max() < 1e-5 + 1e-3 * moved


class _Given(nn.Module):
    """Dropout with factors from elsewhere."""

    def __init__(self, factors: Tensor) -> None:
        super().__init__()
        self.factors = factors

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factors[: x.shape[-2]]


def test_with_the_same_draws_dropout_gives_pefts_gradients(tmp_path: Path) -> None:
    model, settings = base_model("untied"), FAMILY["dropout"]
    decoder = adapted(model, settings)
    base, adapter = saved(decoder, settings, model, tmp_path)
    torch.autograd.backward(-decoder.logprobs(decoder.hidden(FOREST), FOREST).sum())
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter, is_trainable=True)
    expected = {}
    for name, layer in lora.layers(decoder).items():
        assert layer.dropout is not None
        width = layer.base.in_features
        factors = layer.dropout.of_pass(torch.zeros(len(layer.dropout.draws.key_T), width))()
        peer = theirs.get_submodule(f"base_model.model.{name}")
        peer.lora_dropout["default"] = _Given(factors)
        expected[name] = peer
    loss_of(theirs(torch.tensor(IDS)[None]).logits[0]).backward()
    for name, layer in lora.layers(decoder).items():
        for ours, other in ((layer.lora_A, expected[name].lora_A), (layer.lora_B, expected[name].lora_B)):
            peer_grad = other["default"].weight.grad
            assert ours.grad is not None
            assert (ours.grad - peer_grad).abs().max() < 2e-5 * peer_grad.abs().max()


@EVERY
def test_it_learns_rows_by_heart(settings: LoRASettings) -> None:
    decoder = decoder_of(base_model("tied"))
    methods.apply(decoder, settings, seed=0)
    parameters = methods.trainable(decoder)
    optimiser = torch.optim.AdamW(parameters.values(), lr=5e-3, weight_decay=0.0)
    losses = []
    for step in range(30):
        decoder.step = step
        loss = -decoder.logprobs(decoder.hidden(FOREST), FOREST).sum()
        losses.append(loss.item())
        torch.autograd.backward(loss)
        optimiser.step()
        optimiser.zero_grad()
    assert losses[-1] < 0.6 * losses[0]


def test_ranks_go_to_the_matrices_that_are_named() -> None:
    decoder = decoder_of(base_model("tied"))
    methods.apply(decoder, FAMILY["ranks"])
    ranks = {name.removeprefix("model."): layer.lora_A.shape[0] for name, layer in lora.layers(decoder).items()}
    assert ranks["layers.0.mlp.down_proj"] == 2  # the first that fits
    assert ranks["layers.1.mlp.down_proj"] == 7
    assert ranks["layers.0.self_attn.q_proj"] == ranks["layers.1.mlp.up_proj"] == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (LoRASettings(ranks={"layers.7.*": 2}), "names no matrix that is adapted"),
        (LoRASettings(targets=("q_proj",), ranks={"down_proj": 2}), "names no matrix that is adapted"),
        (LoRASettings(r=33, start="pissa"), "more than a matrix has directions"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(settings: LoRASettings, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        methods.apply(decoder_of(base_model("tied")), settings)
