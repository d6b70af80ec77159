"""16: tokens that were added keep their ids, rows and logits on the way to disk and back; filling is never sampled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from burnish.adapt import methods
from burnish.core.errors import RecipeError
from burnish.deploy.merged import write_model_folder
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.model.vocabulary import with_new_tokens
from tests.invariants.token_facts import CPU, FLOAT32, NAMES, SETTINGS, TEXT, decoder_of, facts, ids_of
from tests.tiny import TEMPLATE, make_model, make_tokenizer, write_model


def trained(folder: Path) -> tuple[Checkpoint, Decoder]:
    checkpoint = with_new_tokens(read_checkpoint(folder), NAMES)
    decoder = decoder_of(checkpoint)
    methods.apply(decoder, SETTINGS, seed=1)
    generator = torch.Generator().manual_seed(2)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return checkpoint, decoder


def test_added_tokens_come_back_in_a_new_process_with_ids_rows_and_logits(tmp_path: Path) -> None:
    """Guards against rows that are not saved, or are drawn anew (peft 1300, 2898). A tied and an untied model."""
    wanted = []
    for tied in (True, False):
        folder = tmp_path / str(tied)
        checkpoint, decoder = trained(write_model(folder / "model", tied=tied))
        methods.save_adapter(decoder, SETTINGS, folder / "adapter", base="model")
        wanted.append(json.loads(json.dumps(facts(checkpoint, decoder))))
        assert set(checkpoint.new_ids) <= set(ids_of(checkpoint))
        assert max(ids_of(checkpoint)) < len(decoder.head_weight)
    command = [sys.executable, "-m", "tests.invariants.token_facts", str(tmp_path / "True"), str(tmp_path / "False")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()[-2:]] == wanted


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_merged_folder_has_the_tokens_for_plain_transformers(tied: bool, tmp_path: Path) -> None:
    """Guards against a tokenizer and a table of different sizes (unsloth 237, peft 1457)."""
    checkpoint, decoder = trained(write_model(tmp_path / "model", tied=tied))
    write_model_folder(tmp_path / "merged", checkpoint.config, methods.merged_tensors(decoder), checkpoint.tokenizer,
                       template=TEMPLATE, generation={}, stop_ids=[2], dtype=FLOAT32)  # fmt: skip
    ids = ids_of(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert tokenizer.encode(TEXT, add_special_tokens=False) == ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == TEXT
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    with torch.no_grad():
        wanted = theirs(torch.tensor([ids])).logits[0]
        ours = decoder.logits(decoder.hidden(plant([Segment(ids, [0.0] * len(ids))])))
    assert (ours - wanted).abs().max() < 1e-4 * wanted.abs().max()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_rows_that_only_fill_the_vocabulary_up_are_never_sampled(temperature: float) -> None:
    """Eight rows that no token has, and which every text makes the likeliest."""
    tokens = len(make_tokenizer())
    model = make_model(tokens + 8, tied=False)
    model.lm_head.weight.data[tokens:] = 100 * model.lm_head.weight.data[:1]
    requests = [Request((5, 17, number), 12, temperature, seed=number) for number in range(20)]

    def sampled(known: int | None) -> set[int]:
        decoder = build_decoder(model.config.to_dict(), model.state_dict(), dtype=FLOAT32, device=CPU, tokens=known)
        return {token for one in generate(decoder, requests, stop_ids=[]) for token in one.tokens}

    assert max(sampled(None)) >= tokens
    assert max(sampled(tokens)) < tokens


# A byte-level tokenizer would write the ü of an added token as one byte, which is no text.
@pytest.mark.parametrize("name", ["the", "<|im_end|>", "<sku>", " sku", "", "Rückgabe"])
def test_a_name_that_cannot_be_a_new_token_is_refused(name: str, tiny_folder: Path) -> None:
    with pytest.raises(RecipeError, match="A new token") as refused:
        with_new_tokens(read_checkpoint(tiny_folder), ("<sku>", name))
    assert refused.value.where == "model.new_tokens"
