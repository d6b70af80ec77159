"""Small models with an adapter, as the parity tests of our own and of peft's methods use them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel, Qwen2Config

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder

CPU = torch.device("cpu")
SHAPE = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
CONFIGS = {
    "tied": LlamaConfig(**SHAPE, tie_word_embeddings=True),
    "untied": LlamaConfig(**SHAPE, tie_word_embeddings=False),
    "with biases": Qwen2Config(**SHAPE, tie_word_embeddings=True),
}
IDS = torch.randint(0, 97, (19,), generator=torch.Generator().manual_seed(3)).tolist()
FOREST = plant([Segment(IDS, [1.0] * len(IDS))])


def base_model(name: str) -> PreTrainedModel:
    """The same random weights on every call."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[name], attn_implementation="eager").float().eval()
    for parameter in model.parameters():  # norms and biases start at one value everywhere, which would hide a mistake
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def decoder_of(model: PreTrainedModel, dtype: torch.dtype = torch.float32) -> Decoder:
    return build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=dtype, device=CPU)


def adapted(model: PreTrainedModel, settings: AdaptSettings, *, seed: int = 1) -> Decoder:
    """A decoder with an adapter that is no longer at its start, so that it changes the output."""
    decoder = decoder_of(model)
    torch.manual_seed(seed)  # peft draws from torch's own generator
    methods.apply(decoder, settings, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return decoder


def logits_of(decoder: Decoder) -> Tensor:
    return decoder.logits(decoder.hidden(FOREST)).detach()


def exact_logits(decoder: Decoder) -> Tensor:
    """In the precision of the weights, where `logits` returns float32."""
    decoder.compute = decoder.head_weight.dtype
    return (decoder.hidden(FOREST) @ decoder.head_weight.T).detach()


def saved(decoder: Decoder, settings: AdaptSettings, model: PreTrainedModel, folder: Path) -> tuple[Path, Path]:
    """Folders of the base and of the adapter."""
    model.save_pretrained(folder / "base")
    methods.save_adapter(decoder, settings, folder / "adapter", base=str(folder / "base"))
    return folder / "base", folder / "adapter"


def loss_of(logits_T_V: Tensor) -> Tensor:
    return -logits_T_V[:-1].log_softmax(-1).gather(1, torch.tensor(IDS[1:])[:, None]).sum()
