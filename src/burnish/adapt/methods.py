"""The methods behind one door: apply, what trains, state, save, load, merge, switch off. Nothing above this folder
knows which method is at work."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from burnish.adapt import full, lora
from burnish.adapt.packed import packed_tensors
from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, LoRASettings, PeftSettings
from burnish.core.errors import ModelError, RecipeError
from burnish.core.files import write_bytes, write_json
from burnish.model.decoder import Decoder

WEIGHTS = "adapter_model.safetensors"


def _peft() -> ModuleType:
    """Importing peft takes three seconds, and most runs have no need of it."""
    from burnish.adapt import peft_adapter

    return peft_adapter


def _peft_layers(decoder: Decoder) -> dict[str, nn.Module]:
    """Where peft was never imported, none of its layers can be."""
    layers: dict[str, nn.Module] = _peft().layers(decoder) if "peft" in sys.modules else {}
    return layers


def apply(decoder: Decoder, settings: AdaptSettings, *, seed: int = 0) -> None:
    """Readies a frozen decoder for training. Raises RecipeError: nothing would train."""
    decoder.requires_grad_(False)
    if isinstance(settings, LoRASettings):
        lora.apply(decoder, settings, seed)
    elif isinstance(settings, FullSettings):
        full.apply_full(decoder)
    elif isinstance(settings, FreezeSettings):
        full.apply_freeze(decoder, settings)
    else:
        _peft().apply(decoder, settings, seed)
    decoder.eval()  # new modules begin in training mode; here one mode serves both training and measuring
    if not trainable(decoder):
        raise RecipeError("Nothing would train with these settings.", where="adapt", next_move="check `adapt.targets`")


def trainable(decoder: Decoder) -> dict[str, nn.Parameter]:
    """What the optimiser changes, by name."""
    return {name: parameter for name, parameter in decoder.named_parameters() if parameter.requires_grad}


def has_adapter(settings: AdaptSettings) -> bool:
    """Whether the base's own weights stay as they are."""
    return isinstance(settings, LoRASettings | PeftSettings)


@contextlib.contextmanager
def switched_off(decoder: Decoder) -> Iterator[Decoder]:
    """The base itself, for as long as the block lasts. Only for methods that leave the base's weights alone."""
    _switch(decoder, False)
    try:
        yield decoder
    finally:
        _switch(decoder, True)


def _switch(decoder: Decoder, on: bool) -> None:
    lora.switch(decoder, on)
    if _peft_layers(decoder):
        _peft().switch(decoder, on)


def save_adapter(decoder: Decoder, settings: AdaptSettings, folder: Path, *, base: str) -> None:
    """Writes the adapter in peft's layout; after full or partial fine-tuning there is none to write."""
    if isinstance(settings, LoRASettings):
        tensors, config = lora.state(decoder), lora.peft_config(settings, base)
    elif isinstance(settings, PeftSettings):
        tensors = _peft().state(decoder, settings)
        made = _peft().make_config(settings).to_dict()
        config = json.loads(
            json.dumps({**made, "base_model_name_or_path": base, "inference_mode": True}, default=sorted)
        )
    else:
        raise RecipeError("This method leaves no adapter.", seen=settings.type, next_move="export the merged model")
    # A copy each: some methods share one projection among layers, and a file holds no shared memory.
    contiguous = {name: tensor.cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_bytes(folder / WEIGHTS, save(contiguous, metadata={"format": "pt"}))
    write_json(folder / "adapter_config.json", config)


def load_adapter(decoder: Decoder, settings: AdaptSettings, folder: Path) -> None:
    """The inverse of `save_adapter`: readies the decoder and fills the adapter.

    Raises ModelError: the file is absent or damaged, or its tensors are not exactly those of these settings.
    """
    path = folder / WEIGHTS
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError("The adapter cannot be read.", where=str(path), seen=str(error)) from error
    apply(decoder, settings)
    wanted = lora.state(decoder) if isinstance(settings, LoRASettings) else None
    if isinstance(settings, PeftSettings):
        wanted = _peft().state(decoder, settings)
    shapes = {name: tuple(tensor.shape) for name, tensor in (wanted or {}).items()}
    odd = sorted({*shapes.items()} ^ {(name, tuple(tensor.shape)) for name, tensor in tensors.items()})
    if odd or wanted is None:
        raise ModelError(
            "The adapter does not fit this model.",
            where=str(path),
            seen=f"{len(odd)} names or shapes differ: {', '.join(f'{name} {shape}' for name, shape in odd[:3])}",
            next_move="use the base and the settings that it was trained with",
        )
    if isinstance(settings, PeftSettings):
        _peft().load_state(decoder, settings, tensors)
        return
    for name, tensor in wanted.items():
        tensor.copy_(tensors[name])


def merged_tensors(decoder: Decoder) -> dict[str, Tensor]:
    """All weights under transformers' names with the adapter worked in, float32 where it was."""
    foreign = _peft_layers(decoder)
    replaced = {**lora.merged(decoder), **(_peft().merged(decoder) if foreign else {})}
    plain = {
        name.replace(".base_layer.", ".").replace(".base.", "."): parameter.detach()
        for name, parameter in decoder.named_parameters()
        if "lora_" not in name and ("base_layer" in name or not _inside(name, foreign))
    }
    return {**packed_tensors(decoder), **plain, **replaced}


def _inside(name: str, layers: dict[str, nn.Module]) -> bool:
    return any(name.startswith(f"{layer}.") for layer in layers)
