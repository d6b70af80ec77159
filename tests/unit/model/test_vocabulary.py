"""New tokens: whole in any text, with rows that begin as the mean of the old ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from burnish.core.records import Message
from burnish.model.checkpoint import read_checkpoint
from burnish.model.vocabulary import with_new_tokens
from burnish.render.renderer import make_renderer
from tests.tiny import write_model

TABLE = "model.embed_tokens.weight"


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_new_rows_begin_as_the_mean_and_old_ones_stay(tied: bool, tmp_path: Path) -> None:
    before = read_checkpoint(write_model(tmp_path / "model", tied=tied))
    after = with_new_tokens(before, ("<sku>", "<order>"))
    tables = [TABLE] if tied else [TABLE, "lm_head.weight"]
    assert set(after.tensors) == set(before.tensors)
    old = len(before.tokenizer)
    assert after.new_ids == (old, old + 1)
    assert after.config["vocab_size"] == after.tokens == old + 2
    for name in before.tensors:
        grown = after.tensors[name]
        assert torch.equal(grown[:old] if name in tables else grown, before.tensors[name])
    for name in tables:
        mean = before.tensors[name].double().mean(0).float()
        assert torch.equal(after.tensors[name][old:], torch.stack([mean, mean]))


def test_rows_that_filled_the_vocabulary_up_are_used_first(tiny_folder: Path) -> None:
    """Of 323 rows three belong to no token: two new tokens take the first two, and nothing grows."""
    plain = read_checkpoint(tiny_folder)
    tensors = dict(plain.tensors)
    filled = torch.cat([tensors[TABLE], torch.full((3, 64), 7.0)])
    padded = replace(plain, config={**plain.config, "vocab_size": 323}, tensors={**tensors, TABLE: filled})
    after = with_new_tokens(padded, ("<a>", "<b>"))
    assert after.new_ids == (320, 321)
    assert after.config["vocab_size"] == 323
    assert after.tokens == 322
    assert torch.allclose(after.tensors[TABLE][320], tensors[TABLE].mean(0))
    assert torch.equal(after.tensors[TABLE][322], filled[322])


def test_a_new_token_is_whole_wherever_it_is_typed_and_stays_when_an_answer_is_decoded(tiny_folder: Path) -> None:
    checkpoint = with_new_tokens(read_checkpoint(tiny_folder), ("<sku>",))
    (new,) = checkpoint.new_ids
    renderer = make_renderer(checkpoint.tokenizer, checkpoint.generation)
    assert renderer.prompt([Message("user", "is<sku>late? <sku>")]).count(new) == 2
    assert renderer.decode([new]) == "<sku>"
    assert with_new_tokens(checkpoint, ()) is checkpoint
