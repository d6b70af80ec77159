from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

from burnish.core.errors import ModelError
from burnish.data.private.names import name_finder

WORDS = ("[PAD]", "[UNK]", "Anna", "Keller", "Tom", "lives", "in", "Berlin", ",", ".", "and", "knows")
PERSONS = {"Anna", "Keller", "Tom"}


def write_model(folder: Path, labels: dict[int, str]) -> Path:
    """A model whose only layer has learnt which of twelve words are names."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, id2label=labels,
        label2id={label: number for number, label in labels.items()},
    )  # fmt: skip
    model = BertForTokenClassification(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        tokens_B_T = torch.randint(0, len(WORDS), (16, 8))
        targets_B_T = torch.tensor([[int(WORDS[token] in PERSONS) for token in row] for row in tokens_B_T])
        model(input_ids=tokens_B_T, labels=targets_B_T).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    return folder


def test_persons_are_found_as_whole_names_far_into_a_text(tmp_path: Path) -> None:
    names_in = name_finder(write_model(tmp_path, {0: "O", 1: "B-PER"}))
    text = "Anna Keller lives in Berlin , and Tom knows Anna . " * 40
    found = [text[one.start : one.end] for one in names_in(text)]
    assert found == ["Anna Keller", "Tom", "Anna"] * 40


def test_a_model_without_persons_and_a_folder_without_a_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not mark persons"):
        name_finder(write_model(tmp_path / "model", {0: "O", 1: "B-LOC"}))
    with pytest.raises(ModelError, match="cannot be loaded"):
        name_finder(tmp_path / "none")
