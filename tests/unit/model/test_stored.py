"""A base that stays in its GGUF blocks computes what the dense base of the same file computes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from gguf.constants import GGMLQuantizationType
from gguf.quants import quantize

from burnish.adapt import methods
from burnish.adapt.packed import check_packed
from burnish.adapt.settings import FullSettings, LoRASettings
from burnish.core.errors import RecipeError
from burnish.deploy.gguf_metadata import model_metadata, rotary_divisors
from burnish.deploy.gguf_write import NumberFormat, write_gguf
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder, decoder_tensors, weight_count
from burnish.model.logprobs import target_logprobs
from burnish.model.packing import make_packing
from burnish.model.stored import StoredLinear, StoredTable
from burnish.render.renderer import make_renderer
from burnish.train.optimiser import AdamW, forget_gradients
from tests.tiny import write_model

CPU = torch.device("cpu")
Q8_0 = GGMLQuantizationType.Q8_0
IDS = [[5, 9, 14, 200, 33, 61], [7, 7, 90]]


def write_file(folder: Path, path: Path, number_format: NumberFormat) -> Checkpoint:
    """The model of a folder as a GGUF file with blocks."""
    made = read_checkpoint(folder)
    decoder = build_decoder(made.config, made.tensors, dtype=torch.float32, device=CPU)
    renderer = make_renderer(made.tokenizer, made.generation)
    metadata = model_metadata(made, decoder.config, name="tiny", template=renderer.template, stop_ids=renderer.stop_ids)
    tensors = decoder_tensors(decoder)
    write_gguf(path, metadata, tensors, decoder.config, number_format, rotary_divisors(decoder.config))
    return read_checkpoint(path)


@pytest.fixture(scope="module")
def checkpoint(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return write_file(tiny_folder, tmp_path_factory.mktemp("gguf") / "q.gguf", "q4_0")


def stored_and_dense(checkpoint: Checkpoint, dtype: torch.dtype = torch.float32) -> tuple[Decoder, Decoder]:
    packing = make_packing("stored", checkpoint.tensors, dtype=dtype, device=CPU)
    stored = build_decoder(checkpoint.config, checkpoint.tensors, dtype=dtype, device=CPU, packing=packing)
    return stored, build_decoder(checkpoint.config, checkpoint.tensors, dtype=dtype, device=CPU)


def loss(decoder: Decoder) -> torch.Tensor:
    forest = plant([Segment(ids, [0.0, *[1.0] * (len(ids) - 1)]) for ids in IDS])
    return -decoder.logprobs(decoder.hidden(forest), forest).sum()


def test_projections_and_tied_embedding_stay_in_blocks(checkpoint: Checkpoint) -> None:
    stored, dense = stored_and_dense(checkpoint)
    kept = [type(module) for module in stored.modules() if isinstance(module, StoredLinear | StoredTable)]
    assert [kept.count(StoredLinear), kept.count(StoredTable)] == [14, 1]
    assert {name.split(".")[-2] for name, _ in stored.named_parameters()} <= {
        "input_layernorm", "post_attention_layernorm", "norm"
    }  # fmt: skip
    assert weight_count(stored) == sum(parameter.numel() for parameter in dense.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_hidden_states_are_the_dense_ones_to_the_last_bit(checkpoint: Checkpoint, dtype: torch.dtype) -> None:
    forest = plant([Segment(ids, [1.0] * len(ids)) for ids in IDS])
    stored, dense = stored_and_dense(checkpoint, dtype)
    assert torch.equal(stored.hidden(forest), dense.hidden(forest))


def test_loss_and_gradients_of_lora_are_the_dense_ones(checkpoint: Checkpoint) -> None:
    found = []
    for decoder in stored_and_dense(checkpoint):
        methods.apply(decoder, LoRASettings(r=4), seed=3)
        for index, parameter in enumerate(methods.trainable(decoder).values()):
            parameter.data += 0.01 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(index))
        value = loss(decoder)
        value.backward()  # type: ignore[no-untyped-call]
        found.append((value, {name: one.grad for name, one in methods.trainable(decoder).items()}))
    torch.testing.assert_close(found[0][0], found[1][0])
    for name, gradient in found[1][1].items():
        torch.testing.assert_close(found[0][1][name], gradient, atol=1e-5, rtol=1e-4)


def test_lora_on_blocks_learns(checkpoint: Checkpoint) -> None:
    stored, _ = stored_and_dense(checkpoint)
    methods.apply(stored, LoRASettings(r=4), seed=3)
    optimiser = AdamW(methods.trainable(stored), weight_decay=0.0)
    before = float(loss(stored))
    for _ in range(30):
        loss(stored).backward()  # type: ignore[no-untyped-call]
        optimiser.step(3e-2)
        forget_gradients(methods.trainable(stored))
    assert float(loss(stored)) < before / 4


def test_merged_weights_are_the_dense_ones_also_where_no_adapter_is(checkpoint: Checkpoint) -> None:
    merged = []
    for decoder in stored_and_dense(checkpoint):
        methods.apply(decoder, LoRASettings(r=4, targets="attention"), seed=3)
        merged.append(methods.merged_tensors(decoder))
    assert merged[0].keys() == merged[1].keys()
    assert all(torch.equal(merged[0][name], merged[1][name]) for name in merged[0])


def test_it_generates_what_the_dense_one_does(checkpoint: Checkpoint) -> None:
    requests = [Request(tuple(ids), 12) for ids in IDS]
    stored, dense = (generate(decoder, requests, stop_ids={2}) for decoder in stored_and_dense(checkpoint))
    assert [one.tokens for one in stored] == [one.tokens for one in dense]


def test_rows_of_the_llama_order_come_back_from_a_file(tiny_folder: Path, tmp_path: Path) -> None:
    # in float32 nothing is rounded: what is stored as float16 must be the folder's weights as float16
    checkpoint = write_file(tiny_folder, tmp_path / "f16.gguf", "f16")
    stored, _ = stored_and_dense(checkpoint)
    folder = read_checkpoint(tiny_folder).tensors
    layer = stored.get_submodule("model.layers.1.self_attn.k_proj")
    assert isinstance(layer, StoredLinear)
    assert torch.equal(layer.dense(torch.float32), folder["model.layers.1.self_attn.k_proj.weight"].half().float())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_logprobs_of_a_table_and_their_gradient_are_those_of_its_matrix(dtype: torch.dtype) -> None:
    # 128 targets of 40,000 tokens: a slice of 32,768 rows and a short one
    weight = torch.randn(40_000, 32)
    table = StoredTable(torch.from_numpy(quantize(weight.numpy(), Q8_0)), Q8_0, 32, dtype)
    target, hidden = torch.randint(0, 40_000, (128,)), torch.randn(128, 32, dtype=dtype)
    found = []
    for head in (table, table.rows(slice(None), dtype)):
        leaf = hidden.clone().requires_grad_()
        logprobs = target_logprobs(leaf, head, target)
        (logprobs * torch.arange(128)).sum().backward()  # type: ignore[no-untyped-call]
        found.append((logprobs, leaf.grad))
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=tolerance)


def test_a_folder_has_no_blocks_to_keep(tmp_path: Path) -> None:
    folder = read_checkpoint(write_model(tmp_path / "model"))
    with pytest.raises(RecipeError, match=r"model\.weights"):
        make_packing("stored", folder.tensors, dtype=torch.float32, device=CPU)


def test_a_method_that_changes_the_base_refuses_blocks() -> None:
    with pytest.raises(RecipeError, match="needs the base's weights dense"):
        check_packed(FullSettings(), "stored")
