"""9 to 12: what was trained is attached, moves in every tensor, and survives merging, saving and loading."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, LoRASettings, PeftSettings
from burnish.core.errors import RecipeError
from burnish.core.files import read_json
from burnish.deploy.merged import write_model_folder
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.train.checkpoint import read_checkpoint as read_training
from tests.invariants.jobs import CPU, TOKENIZER
from tests.parity.test_lora_peft import LORA, PEFT
from tests.tiny import TEMPLATE, make_model
from tests.unit.train.conftest import MakeRun

PROMPTS = [[5, 17, 40, 9], [100, 3, 3, 250, 31, 8], list(range(60, 90))]
FLOAT32, FLOAT64 = torch.float32, torch.float64


def decoder_of(dtype: torch.dtype, *, tied: bool = False) -> Decoder:
    model = make_model(len(TOKENIZER), tied=tied)
    return build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=dtype, device=CPU)


def trained(settings: AdaptSettings, dtype: torch.dtype, *, tied: bool = False) -> Decoder:
    """A decoder in which everything that trains has moved."""
    decoder = decoder_of(dtype, tied=tied)
    methods.apply(decoder, settings, seed=1)
    generator = torch.Generator().manual_seed(2)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return decoder


@torch.no_grad()
def logits_of(decoder: Decoder) -> list[Tensor]:
    """The logits of three prompts, in the precision of the decoder."""
    forests = [plant([Segment(tokens, [0.0] * len(tokens))]) for tokens in PROMPTS]
    return [decoder.hidden(forest) @ decoder.head_weight.T for forest in forests]


def distance(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest difference, as a share of the largest logit."""
    most = max(float(tensor.abs().max()) for tensor in theirs)
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True)) / most


@pytest.mark.parametrize(
    ("settings", "dtype", "close"),
    # In float64 too, B · alpha/r is rounded to float32 first, in which both train: 2⁻²⁴ = 6e-8.
    [(LORA["alpha ≠ 2 r"], FLOAT32, 1e-5), (LORA["alpha ≠ 2 r"], FLOAT64, 1e-7), (LORA["two names"], FLOAT64, 1e-9),
     *((settings, FLOAT32, 1e-4 if name.startswith("Rand") else 1e-5) for name, settings in PEFT.items())],
    ids=["LoRA float32", "LoRA float64", "LoRA on two matrices", *PEFT],
)  # fmt: skip
def test_merged_weights_answer_as_base_and_adapter_do(
    settings: AdaptSettings, dtype: torch.dtype, close: float
) -> None:
    """Guards against merges that lose the tune, or leave it out (peft 2586, mlx-tune 15)."""
    base, decoder = decoder_of(dtype), trained(settings, dtype)
    adapted = logits_of(decoder)
    assert distance(adapted, logits_of(base)) > 1e-2
    tensors = methods.merged_tensors(decoder)
    made = build_decoder(make_model(len(TOKENIZER), tied=False).config.to_dict(), tensors, dtype=dtype, device=CPU)
    assert distance(logits_of(made), adapted) <= close
    before = dict(base.named_parameters())
    changed = {name for name, tensor in tensors.items() if not torch.equal(tensor.to(dtype), before[name])}
    layers = {name.rsplit(".lora_", 1)[0] for name in methods.trainable(decoder)}
    if isinstance(settings, LoRASettings):
        assert changed == {f"{layer}.weight" for layer in layers}


@pytest.mark.parametrize("settings", [LORA["alpha ≠ 2 r"], *PEFT.values()], ids=["LoRA", *PEFT])
def test_after_a_merge_the_base_is_what_it_was_to_the_last_bit(settings: AdaptSettings) -> None:
    """Guards against rounding the base by merging and unmerging it in place (peft 2321)."""
    base, decoder = logits_of(decoder_of(FLOAT32)), trained(settings, FLOAT32)
    adapted = logits_of(decoder)
    methods.merged_tensors(decoder)
    assert all(map(torch.equal, logits_of(decoder), adapted))
    with methods.switched_off(decoder):
        assert all(map(torch.equal, logits_of(decoder), base))


WAYS: dict[str, AdaptSettings] = {
    "neither embedding nor head (LoRA)": LoRASettings(r=4, alpha=8),
    "neither embedding nor head (last layer)": FreezeSettings(layers=1),
    "both": FullSettings(),
}


# A tied model's head is its embedding; `lm_head` by name is refused there.
FOLDERS = {f"{way}, {'tied' if tied else 'untied'}": (one, tied) for way, one in WAYS.items() for tied in (True, False)}
FOLDERS |= {
    "the embedding alone, tied": (FreezeSettings(names=("embed_tokens",)), True),
    "the embedding alone, untied": (FreezeSettings(names=("embed_tokens",)), False),
    "the head alone, untied": (FreezeSettings(names=("lm_head",)), False),
}


@pytest.mark.parametrize(("settings", "tied"), FOLDERS.values(), ids=FOLDERS)
def test_a_merged_folder_answers_as_what_was_trained(settings: AdaptSettings, tied: bool, tmp_path: Path) -> None:
    """Guards against heads that are tied again, or no longer, on the way to disk (peft 2777, transformers 45127)."""
    decoder = trained(settings, FLOAT32, tied=tied)
    config, folder = make_model(len(TOKENIZER), tied=tied).config.to_dict(), tmp_path / "merged"
    write_model_folder(folder, config, methods.merged_tensors(decoder), TOKENIZER, template=TEMPLATE, generation={},
                       stop_ids=[2], dtype=FLOAT32)  # fmt: skip
    read = read_checkpoint(folder)
    assert read_json(folder / "config.json")["tie_word_embeddings"] is tied
    assert ("lm_head.weight" in read.tensors) is not tied
    ours = build_decoder(read.config, read.tensors, dtype=FLOAT32, device=CPU)
    assert distance(logits_of(ours), logits_of(decoder)) <= 1e-5
    theirs = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        assert distance([theirs(torch.tensor([ids])).logits[0] for ids in PROMPTS], logits_of(decoder)) <= 1e-5


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("settings", [WAYS["neither embedding nor head (LoRA)"], PEFT["DoRA"]], ids=["LoRA", "DoRA"])
def test_a_loaded_adapter_answers_as_the_trained_one_and_not_as_the_base(
    settings: AdaptSettings, tied: bool, tmp_path: Path
) -> None:
    """Guards against an adapter that was loaded and is not at work (peft 1932, LlamaFactory 10294)."""
    decoder = trained(settings, FLOAT32, tied=tied)
    methods.save_adapter(decoder, settings, tmp_path / "adapter", base="base")
    fresh = decoder_of(FLOAT32, tied=tied)
    base = logits_of(fresh)
    methods.load_adapter(fresh, settings, tmp_path / "adapter")
    assert all(map(torch.equal, logits_of(fresh), logits_of(decoder)))
    assert not any(map(torch.equal, logits_of(fresh), base))


@pytest.mark.parametrize("dtype", [FLOAT32, torch.bfloat16])
def test_a_new_lora_is_the_base_to_the_last_bit(dtype: torch.dtype) -> None:
    base, decoder = logits_of(decoder_of(dtype)), decoder_of(dtype)
    methods.apply(decoder, LoRASettings(r=4, alpha=8), seed=0)
    assert all(map(torch.equal, logits_of(decoder), base))


def test_settings_with_which_nothing_would_train_are_refused() -> None:
    """Guards against a run that trains 0 weights with a warning (peft PR 2118)."""
    with pytest.raises(RecipeError, match="Nothing would train"):
        methods.apply(decoder_of(FLOAT32), LoRASettings(targets=()))


@pytest.mark.parametrize(
    "settings", [*WAYS.values(), PEFT["DoRA"], PEFT["IA3"]], ids=["LoRA", "freeze", "full", "DoRA", "IA3"]
)
def test_small_updates_move_every_trained_tensor_of_a_bfloat16_model(
    make_run: MakeRun, settings: AdaptSettings
) -> None:
    """Guards against updates that round to nothing (VersatIL 5: `lora_A` as it began after 84,000 steps).

    bf16 has 8 bits: a change of 1e-5 to a weight of 0.1 would be lost. What trains, and its moments, are float32.
    """
    tiny = make_run("run", settings, dtype=torch.bfloat16, rate=1e-5)
    before = {name: parameter.detach().clone() for name, parameter in tiny.parameters.items()}
    tiny.train()
    assert {parameter.dtype for parameter in tiny.parameters.values()} == {FLOAT32}
    assert all(not torch.equal(parameter, before[name]) for name, parameter in tiny.parameters.items())
    saved = read_training(max(tiny.run.checkpoints.iterdir()))
    assert {tensor.dtype for tensor in (*saved.weights.values(), *saved.optimiser.values())} == {FLOAT32}
    assert len(saved.optimiser) == 3 * len(before)


@pytest.mark.parametrize(
    "kind", [{"peft_type": "LORA", "lora_dropout": 0.1}, {"peft_type": "LOKR", "rank_dropout": 0.1}]
)
def test_dropout_inside_an_adapter_is_refused_and_no_module_is_in_training_mode(kind: dict[str, object]) -> None:
    """Part of 20: a peft layer begins in training mode, and nothing told it that a measurement had begun."""
    with pytest.raises(RecipeError, match="Dropout inside an adapter"):
        methods.apply(decoder_of(FLOAT32), PeftSettings(config={**kind, "r": 4}))
    for settings in (*WAYS.values(), *PEFT.values()):
        assert not any(module.training for module in trained(settings, FLOAT32).modules())


@pytest.mark.parametrize("settings", [LORA["two names"], PEFT["DoRA"], PEFT["LoKr"]], ids=["LoRA", "DoRA", "LoKr"])
def test_an_adapter_starts_as_its_seed_says(settings: AdaptSettings) -> None:
    """Whatever was drawn before in this process; two seeds start apart."""

    def start(seed: int) -> dict[str, Tensor]:
        torch.rand(seed + 3)
        decoder = decoder_of(FLOAT32)
        methods.apply(decoder, settings, seed=seed)
        return {name: parameter.detach().clone() for name, parameter in methods.trainable(decoder).items()}

    first, again, other = start(0), start(0), start(1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
