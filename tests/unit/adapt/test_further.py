"""Bottleneck adapters, IA3 and VeRA by name, freezing by name: each starts at the base, trains, and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch import Tensor

from burnish.adapt import methods
from burnish.adapt.bottleneck import Bottleneck
from burnish.adapt.further_settings import BottleneckSettings, IA3Settings, PrefixSettings, PromptSettings, VeRASettings
from burnish.adapt.settings import AdaptSettings, FreezeSettings
from burnish.core.errors import RecipeError
from burnish.core.files import read_json
from burnish.model.decoder import Decoder, Linear
from burnish.model.load import build_decoder
from tests.parity.test_lora_peft import CONFIGS, CPU, FOREST, IDS, adapted, base_model, decoder_of
from tests.unit.train.conftest import MakeRun, make_run
from tests.unit.train.test_loop import Disturbed, break_down

__all__ = ["make_run"]

BOTTLENECKS: dict[str, AdaptSettings] = {
    "behind the MLP": BottleneckSettings(size=8),
    "behind both parts": BottleneckSettings(size=4, after="both", activation="gelu"),
}
NAMED: dict[str, AdaptSettings] = {"IA3": IA3Settings(), "VeRA": VeRASettings(r=8)}


def logits_of(decoder: Decoder) -> Tensor:
    return decoder.logits(decoder.hidden(FOREST)).detach()


def test_an_adapter_adds_what_is_worked_out_by_hand() -> None:
    """The part doubles x = (1, -2) to y = (2, -4). down = (1, 1), bias 3: relu(2 - 4 + 3) = 1. up = (5, 7), bias
    (0, 1): y + (5, 7 + 1) = (7, 4)."""
    base, down, up = Linear(2, 2, bias=False), Linear(2, 1), Linear(1, 2)
    for parameter, value in (
        (base.weight, [[2.0, 0.0], [0.0, 2.0]]),
        (down.weight, [[1.0, 1.0]]),
        (down.bias, [3.0]),
        (up.weight, [[5.0], [7.0]]),
        (up.bias, [0.0, 1.0]),
    ):
        parameter.data = torch.tensor(value)
    assert Bottleneck(base, down, up, "relu")(torch.tensor([[1.0, -2.0]])).tolist() == [[7.0, 4.0]]


@pytest.mark.parametrize("settings", BOTTLENECKS.values(), ids=BOTTLENECKS)
@pytest.mark.parametrize("base", CONFIGS)
def test_a_bottleneck_starts_as_the_base_is_saved_and_loaded_and_has_no_merged_form(
    settings: AdaptSettings, base: str, tmp_path: Path
) -> None:
    plain, fresh = logits_of(decoder_of(base_model(base))), decoder_of(base_model(base))
    methods.apply(fresh, settings)
    assert torch.equal(logits_of(fresh), plain)
    decoder = adapted(base_model(base), settings)
    methods.save_adapter(decoder, settings, tmp_path, base="base")
    assert read_json(tmp_path / "adapter_config.json")["peft_type"] == "BURNISH_BOTTLENECK"
    again = decoder_of(base_model(base))
    methods.load_adapter(again, settings, tmp_path)
    assert torch.equal(logits_of(again), logits_of(decoder))
    assert not torch.allclose(logits_of(again), plain, atol=1e-2)
    with methods.switched_off(again) as off:
        assert torch.equal(logits_of(off), plain)
    with pytest.raises(RecipeError, match="can't be merged"):
        methods.merged_tensors(decoder)


@pytest.mark.parametrize("settings", NAMED.values(), ids=NAMED)
def test_plain_peft_reads_ia3_and_vera(settings: AdaptSettings, tmp_path: Path) -> None:
    decoder = adapted(base_model("untied"), settings)
    methods.save_adapter(decoder, settings, tmp_path, base="base")
    theirs = PeftModel.from_pretrained(base_model("untied"), str(tmp_path)).eval()
    with torch.no_grad():
        wanted = theirs(input_ids=torch.tensor([IDS])).logits[0]
    assert (logits_of(decoder) - wanted).abs().max() < 1e-5


@pytest.mark.parametrize("settings", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("base", CONFIGS)
def test_ia3_and_vera_start_as_the_base_come_back_and_merge(settings: AdaptSettings, base: str, tmp_path: Path) -> None:
    plain, fresh = logits_of(decoder_of(base_model(base))), decoder_of(base_model(base))
    methods.apply(fresh, settings)
    assert torch.allclose(logits_of(fresh), plain, atol=1e-5)
    decoder = adapted(base_model(base), settings)
    methods.save_adapter(decoder, settings, tmp_path, base="base")
    again = decoder_of(base_model(base))
    methods.load_adapter(again, settings, tmp_path)
    assert torch.equal(logits_of(again), logits_of(decoder))
    assert not torch.allclose(logits_of(again), plain, atol=1e-2)
    merged = build_decoder(CONFIGS[base].to_dict(), methods.merged_tensors(decoder), dtype=torch.float32, device=CPU)
    assert (logits_of(merged) - logits_of(decoder)).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("layers.1.mlp.*", "norm"), {"model.layers.1.mlp.gate_proj.weight", "model.layers.1.mlp.up_proj.weight",
                                      "model.layers.1.mlp.down_proj.weight", "model.norm.weight"}),
        (("embed_tokens",), {"model.embed_tokens.weight"}),
        (("lm_head.weight",), {"lm_head.weight"}),
        (("*.0.*q_proj",), {"model.layers.0.self_attn.q_proj.weight"}),
        (("model.layers.?.input_layernorm", "model.layers.0.*norm"), {"model.layers.0.input_layernorm.weight",
         "model.layers.1.input_layernorm.weight", "model.layers.0.post_attention_layernorm.weight"}),
    ],
)  # fmt: skip
def test_what_is_named_trains_and_nothing_else(names: tuple[str, ...], wanted: set[str]) -> None:
    decoder = decoder_of(base_model("untied"))
    methods.apply(decoder, FreezeSettings(names=names))
    assert set(methods.trainable(decoder)) == wanted


@pytest.mark.parametrize("name", ["lm_head", "layers.9.*", "mlp"])
def test_a_name_that_matches_nothing_is_refused(name: str) -> None:
    """In a tied model there is no `lm_head`; `mlp` stands in the middle of names, and is none."""
    with pytest.raises(RecipeError, match="matches no weight") as refused:
        methods.apply(decoder_of(base_model("tied")), FreezeSettings(names=("norm", name)))
    assert refused.value.where == f"adapt.names: {name}"


@pytest.mark.parametrize(
    ("settings", "rate"),
    [(PromptSettings(tokens=8), 0.1), (PrefixSettings(tokens=8), 0.1), (BottleneckSettings(size=16), 3e-3),
     (IA3Settings(), 0.3), (VeRASettings(r=64), 0.1), (FreezeSettings(names=("layers.1.*",)), 1e-3)],
    ids=lambda one: one.type if not isinstance(one, float) else "",
)  # fmt: skip
def test_every_method_learns_and_goes_on_where_it_stopped(
    make_run: MakeRun, settings: AdaptSettings, rate: float
) -> None:
    """The loss on what is learnt falls, and a run that broke down ends in the same bytes."""
    whole, broken = (make_run(name, settings, rate=rate, rows_per_update=6, steps=12) for name in ("whole", "broken"))
    losses = [loss for _, loss in whole.train().history]
    assert losses[-1] < losses[0] - 0.02
    with pytest.raises(RuntimeError, match="lights"):
        broken.train(Disturbed(40, break_down))
    broken = make_run("broken", settings, rate=rate, rows_per_update=6, steps=12)
    assert broken.train().step == 12
    assert broken.said[0].startswith("going on after step")
    assert whole.run.metrics.read_bytes() == broken.run.metrics.read_bytes()
    assert all(torch.equal(value, broken.parameters[name]) for name, value in whole.parameters.items())
