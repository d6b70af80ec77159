"""Rows of new tokens: they alone of their table train, beside any method, and come back with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import Tensor

from burnish.adapt import methods
from burnish.adapt.further_settings import BottleneckSettings, IA3Settings, PrefixSettings, PromptSettings, VeRASettings
from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, LoRASettings
from burnish.adapt.token_rows import LearntRows
from burnish.core.files import read_json
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from tests.parity.test_lora_peft import CONFIGS, CPU, FOREST, IDS, base_model

NEW = (IDS[2], IDS[5], 96)  # of 97
KINDS: dict[str, AdaptSettings] = {
    "LoRA": LoRASettings(r=4, alpha=8),
    "freeze": FreezeSettings(layers=1),
    "IA3": IA3Settings(),
    "VeRA": VeRASettings(r=8),
    "prompt": PromptSettings(tokens=3),
    "prefix": PrefixSettings(tokens=3),
    "bottleneck": BottleneckSettings(size=8),
}
each = pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
ties = pytest.mark.parametrize("base", ["tied", "untied"])


def decoder_of(base: str, new_ids: tuple[int, ...] = NEW, dtype: torch.dtype = torch.float32) -> Decoder:
    tensors = {name: tensor.clone() for name, tensor in base_model(base).state_dict().items()}
    return build_decoder(CONFIGS[base].to_dict(), tensors, dtype=dtype, device=CPU, new_ids=new_ids)


def trained(base: str, settings: AdaptSettings) -> Decoder:
    """What trains is no longer at its start."""
    decoder = decoder_of(base)
    methods.apply(decoder, settings)
    generator = torch.Generator().manual_seed(5)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return decoder


def logits_of(decoder: Decoder) -> Tensor:
    return decoder.logits(decoder.hidden(FOREST)).detach()


def loss_of(decoder: Decoder) -> Tensor:
    return -decoder.logprobs(decoder.hidden(FOREST), FOREST).sum()


@each
@ties
def test_rows_start_as_they_were_are_saved_and_loaded_and_go_off(
    settings: AdaptSettings, base: str, tmp_path: Path
) -> None:
    plain = logits_of(decoder_of(base))
    decoder = trained(base, settings)
    tables = [name for name in methods.trainable(decoder) if name.endswith(".rows") and "opening" not in name]
    assert len(tables) == (1 if base == "tied" else 2)
    tuned = logits_of(decoder)
    if not methods.has_adapter(settings):
        return
    with methods.switched_off(decoder) as off:
        assert torch.equal(logits_of(off), plain)
    assert torch.equal(logits_of(decoder), tuned)
    methods.save_adapter(decoder, settings, tmp_path, base="base")
    again = decoder_of(base)
    methods.load_adapter(again, settings, tmp_path)
    assert torch.equal(logits_of(again), tuned)


@pytest.mark.parametrize("kind", ["LoRA", "freeze", "IA3", "VeRA"])
@ties
def test_merged_tables_hold_the_rows_and_no_other_row_has_moved(kind: str, base: str) -> None:
    decoder = trained(base, KINDS[kind])
    tensors = methods.merged_tensors(decoder)
    merged = build_decoder(CONFIGS[base].to_dict(), tensors, dtype=torch.float32, device=CPU)
    assert (logits_of(merged) - logits_of(decoder)).abs().max() < 1e-5
    before = dict(base_model(base).state_dict())
    for name in ("model.embed_tokens.weight", "lm_head.weight")[: 1 if base == "tied" else 2]:
        moved = (tensors[name] != before[name]).any(dim=1).nonzero()[:, 0].tolist()
        assert sorted(moved) == sorted(NEW)


@ties
def test_plain_peft_reads_them_beside_lora(base: str, tmp_path: Path) -> None:
    decoder = trained(base, KINDS["LoRA"])
    methods.save_adapter(decoder, KINDS["LoRA"], tmp_path, base="base")
    named = {"embed_tokens"} if base == "tied" else {"embed_tokens", "lm_head"}
    assert set(read_json(tmp_path / "adapter_config.json")["trainable_token_indices"]) == named
    theirs = PeftModel.from_pretrained(base_model(base), str(tmp_path)).eval()
    with torch.no_grad():
        wanted = theirs(input_ids=torch.tensor([IDS])).logits[0]
    assert (logits_of(decoder) - wanted).abs().max() < 1e-5


@ties
def test_their_gradient_is_that_of_whole_tables(base: str) -> None:
    """Full fine-tuning has the gradient of all rows; the new ones' are the same, embedding and head added up."""
    alone, whole = decoder_of(base), decoder_of(base, ())
    methods.apply(alone, FreezeSettings(names=("norm",)))
    methods.apply(whole, FullSettings())
    loss_of(alone).backward()
    loss_of(whole).backward()
    places = {"model.embed_tokens": whole.model.embed_tokens} | ({"lm_head": whole.lm_head} if whole.lm_head else {})
    for place, table in places.items():
        found: Any = alone.get_submodule(place)
        assert isinstance(found, LearntRows)
        assert torch.allclose(found.rows.grad, table.weight.grad[list(NEW)], atol=1e-5)


def test_a_switch_between_forward_and_backward_leaves_the_gradient_as_it_is() -> None:
    """As a preference's reference does."""
    found = []
    for asked in (False, True):
        decoder = trained("tied", KINDS["LoRA"])
        loss = loss_of(decoder)
        if asked:
            with methods.switched_off(decoder) as base, torch.no_grad():
                loss_of(base)
        loss.backward()
        found.append({name: parameter.grad for name, parameter in methods.trainable(decoder).items()})
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_they_are_float32_beside_a_bfloat16_table_which_follows_them() -> None:
    decoder = decoder_of("tied", dtype=torch.bfloat16)
    methods.apply(decoder, KINDS["LoRA"])
    rows = methods.trainable(decoder)["model.embed_tokens.rows"]
    assert rows.dtype == torch.float32
    rows.data += 1
    assert torch.equal(decoder.head_weight[list(NEW)], rows.to(torch.bfloat16))


def test_a_table_that_trains_whole_has_no_rows_of_its_own() -> None:
    decoder = decoder_of("untied")
    methods.apply(decoder, FreezeSettings(names=("embed_tokens",)))
    assert set(methods.trainable(decoder)) == {"model.embed_tokens.weight", "lm_head.rows"}
