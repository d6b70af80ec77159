"""A base in NF4 or FP4 answers as transformers with bitsandbytes does, and so does an adapter that peft
puts on it, with the same gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, Qwen2Config

from burnish.adapt import lora, methods
from burnish.adapt.settings import LoRASettings
from burnish.model.decoder import Decoder
from burnish.model.few_bits import FewBits, in_few_bits
from burnish.model.folder import folder_tensors
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.model.packing import Packing

pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed: pip install 'burnish[quant]'")

CPU = torch.device("cpu")
# Whole blocks of 64 in each row: bitsandbytes' own layer goes wrong on others on a CPU.
SHAPE = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "tie_word_embeddings": True,
}
CONFIGS = {"Llama": LlamaConfig(**SHAPE), "Qwen 2, with biases": Qwen2Config(**SHAPE)}
IDS = torch.randint(0, 97, (19,), generator=torch.Generator().manual_seed(3)).tolist()
FOREST = plant([Segment(IDS, [1.0] * len(IDS))])
SETTINGS = LoRASettings(r=4, alpha=7.0)


def write_base(name: str, folder: Path) -> Path:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[name]).float()
    for parameter in model.parameters():  # norms and biases start at one value everywhere, which would hide a mistake
        parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    return folder


def ours(folder: Path, name: str, form: FewBits, dtype: torch.dtype) -> Decoder:
    config = CONFIGS[name].to_dict()
    tensors = folder_tensors(folder, config)
    return build_decoder(config, tensors, dtype=dtype, device=CPU, packing=Packing(in_few_bits(tensors, form, CPU)))


def theirs(folder: Path, form: FewBits, dtype: torch.dtype) -> torch.nn.Module:
    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type=form, bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=config, dtype=dtype, device_map={"": "cpu"}, attn_implementation="eager"
    )
    return model.train()  # on CPUs with bf16 its evaluation mode multiplies in bf16 whatever it is asked; no dropout


def logits(decoder: Decoder) -> Tensor:
    return decoder.logits(decoder.hidden(FOREST))


@pytest.mark.parametrize("form", ["nf4", "fp4"])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_base_answers_as_transformers_with_bitsandbytes(name: str, form: FewBits, tmp_path: Path) -> None:
    folder = write_base(name, tmp_path)
    with torch.no_grad():
        wanted = theirs(folder, form, torch.float32)(torch.tensor([IDS])).logits[0]
        torch.testing.assert_close(logits(ours(folder, name, form, torch.float32)), wanted, rtol=0, atol=2e-5)


def test_an_adapter_has_pefts_logits_and_gradients_over_it(tmp_path: Path) -> None:
    name, folder = "Qwen 2, with biases", write_base("Qwen 2, with biases", tmp_path / "base")
    decoder = ours(folder, name, "nf4", torch.float32)
    methods.apply(decoder, SETTINGS, seed=1)
    generator = torch.Generator().manual_seed(2)
    for layer in lora.layers(decoder).values():
        layer.lora_B.data.normal_(0, 0.1, generator=generator)
    methods.save_adapter(decoder, SETTINGS, tmp_path / "adapter", base="base")
    model = PeftModel.from_pretrained(
        theirs(folder, "nf4", torch.float32), tmp_path / "adapter", is_trainable=True
    ).train()

    wanted = model(torch.tensor([IDS])).logits[0]
    torch.testing.assert_close(logits(decoder), wanted, rtol=0, atol=5e-5)
    wanted.log_softmax(-1)[range(18), IDS[1:]].sum().backward()
    decoder.logprobs(decoder.hidden(FOREST), FOREST).sum().backward()

    expected = {n.replace(".default", ""): p.grad for n, p in model.named_parameters() if p.requires_grad}
    found = {f"base_model.model.{n}.weight": p.grad for n, p in methods.trainable(decoder).items()}
    assert found.keys() == expected.keys()
    for key, gradient in found.items():
        assert float((gradient - expected[key]).norm() / expected[key].norm()) < 1e-4, key


def test_in_bf16_it_is_as_near_as_rounding_allows(tmp_path: Path) -> None:
    folder = write_base("Llama", tmp_path)
    with torch.no_grad():
        exact = logits(ours(folder, "Llama", "nf4", torch.float32))
        wanted = theirs(folder, "nf4", torch.bfloat16)(torch.tensor([IDS])).logits[0].float()
        found = logits(ours(folder, "Llama", "nf4", torch.bfloat16))
    assert (found - exact).norm() <= 1.5 * (wanted - exact).norm()
