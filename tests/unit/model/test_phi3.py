"""Phi-3's stacked matrices, against transformers' own Phi-3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Phi3Config, Phi3ForCausalLM

from burnish.core.errors import ModelError
from burnish.model.checkpoint import read_checkpoint
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from tests.tiny import make_tokenizer


def write_phi3(folder: Path, **options: Any) -> Phi3ForCausalLM:
    torch.manual_seed(1)
    tokenizer = make_tokenizer()
    config = Phi3Config(
        vocab_size=len(tokenizer), hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, initializer_range=0.2, pad_token_id=0, bos_token_id=None, eos_token_id=2, **options,
    )  # fmt: skip
    network: Phi3ForCausalLM = Phi3ForCausalLM(config).eval()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return network


@pytest.mark.parametrize(("window", "kind"), [(None, "llama"), (5, "mistral")])
def test_it_computes_what_transformers_phi3_computes(tmp_path: Path, window: int | None, kind: str) -> None:
    network = write_phi3(tmp_path, sliding_window=window)
    made = read_checkpoint(tmp_path)
    assert made.config["model_type"] == kind
    assert not made.as_stored
    decoder = build_decoder(made.config, made.tensors, dtype=torch.float32, device=torch.device("cpu"))
    ids = torch.randint(3, made.config["vocab_size"], (24,)).tolist()
    with torch.no_grad():
        ours = decoder.logits(decoder.hidden(plant([Segment(ids, [0.0] * len(ids))])))
        theirs = network(torch.tensor([ids])).logits[0]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 * float(theirs.abs().max()))


@pytest.mark.parametrize("rope", [{"rope_type": "linear", "factor": 2.0}, {"partial_rotary_factor": 0.75}])
def test_positions_of_another_kind_are_refused(tmp_path: Path, rope: dict[str, Any]) -> None:
    write_phi3(tmp_path, sliding_window=None)
    config = json.loads((tmp_path / "config.json").read_text())
    config["rope_parameters"] |= rope
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="positions"):
        read_checkpoint(tmp_path)


def test_a_stacked_matrix_of_another_size_is_refused(tmp_path: Path) -> None:
    write_phi3(tmp_path, sliding_window=None)
    config = json.loads((tmp_path / "config.json").read_text()) | {"num_key_value_heads": 3}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="wrong shape"):
        read_checkpoint(tmp_path)
