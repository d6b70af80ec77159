"""The methods behind one door: apply, what trains, state, save, load, merge, switch off. Nothing above this folder
knows which method is at work."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from burnish.adapt import bottleneck, full, lora, osft, prefix, prompt, token_rows, vera
from burnish.adapt.further_settings import (
    BottleneckSettings,
    IA3Settings,
    PrefixSettings,
    PromptSettings,
    VeRASettings,
)
from burnish.adapt.method import Adapter, Method
from burnish.adapt.packed import packed_layers, unpacked_tensors
from burnish.adapt.settings import (
    AdaptSettings,
    FreezeSettings,
    FullSettings,
    LoRASettings,
    OSFTSettings,
    PeftSettings,
)
from burnish.core.errors import ModelError, RecipeError
from burnish.core.files import read_json, write_bytes, write_json
from burnish.model.decoder import Decoder
from burnish.model.fetching import nothing_fetched
from burnish.model.frozen_linear import FrozenLinear
from burnish.model.stored import StoredTable

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

AnyMethod: TypeAlias = Method[Any]


def _peft() -> AnyMethod:
    """Importing peft takes three seconds, and most runs have no need of it."""
    with nothing_fetched():
        from burnish.adapt import peft_adapter
    return peft_adapter.METHOD


# A new method is its file and a line here. A function each, since some are slow to import.
_METHODS: Mapping[type[AdaptSettings], Callable[[], AnyMethod]] = {
    LoRASettings: lambda: lora.METHOD,
    FullSettings: lambda: full.FULL,
    FreezeSettings: lambda: full.FREEZE,
    OSFTSettings: lambda: osft.METHOD,
    PromptSettings: lambda: prompt.METHOD,
    PrefixSettings: lambda: prefix.METHOD,
    BottleneckSettings: lambda: bottleneck.METHOD,
    IA3Settings: _peft,
    VeRASettings: lambda: vera.METHOD,
    PeftSettings: _peft,
}


def method_of(settings: AdaptSettings) -> AnyMethod:
    """The functions of the method that these settings are of."""
    return _METHODS[type(settings)]()


@dataclass(frozen=True)
class _Applied:
    """What `apply` did to a decoder, and the weights that it found there, under transformers' names."""

    method: AnyMethod
    weights: Mapping[str, nn.Parameter]
    packed: Mapping[str, FrozenLinear | StoredTable]  # layers of the base that keep their weight in another form


def _applied(decoder: Decoder) -> _Applied | None:
    return decoder.adaptation if isinstance(decoder.adaptation, _Applied) else None


def apply(decoder: Decoder, settings: AdaptSettings, *, seed: int = 0) -> None:
    """Readies a frozen decoder for training. Raises RecipeError: nothing would train."""
    method = method_of(settings)
    weights = dict(decoder.named_parameters())
    packed = packed_layers(decoder)
    decoder.requires_grad_(False)
    method.apply(decoder, settings, seed)
    token_rows.apply(decoder)
    decoder.adaptation = _Applied(method, weights, packed)
    decoder.eval()  # new modules begin in training mode; here one mode serves both training and measuring
    if not trainable(decoder):
        raise RecipeError("Nothing would train with these settings.", where="adapt", next_move="check `adapt.targets`")


def trainable(decoder: Decoder) -> dict[str, nn.Parameter]:
    """What the optimiser changes, by name."""
    return {name: parameter for name, parameter in decoder.named_parameters() if parameter.requires_grad}


def beside(decoder: Decoder) -> dict[str, nn.Parameter]:
    """What trains and is none of the base's own weights, by name."""
    applied = _applied(decoder)
    own = {id(parameter) for parameter in applied.weights.values()} if applied else set()
    return {name: parameter for name, parameter in trainable(decoder).items() if id(parameter) not in own}


def rates(decoder: Decoder, settings: AdaptSettings) -> dict[str, float]:
    """The learning rates of some parameters, by name, in multiples of the recipe's; 1 for those not named."""
    return dict(method_of(settings).rates(decoder, settings))


def has_adapter(settings: AdaptSettings) -> bool:
    """Whether the base's own weights stay as they are."""
    return method_of(settings).adapter is not None


@contextlib.contextmanager
def switched_off(decoder: Decoder) -> Iterator[Decoder]:
    """The base itself, for as long as the block lasts. Only for methods that leave the base's weights alone."""
    applied = _applied(decoder)
    if applied is None or applied.method.adapter is None:
        yield decoder
        return
    _switch(decoder, applied.method.adapter, False)
    try:
        yield decoder
    finally:
        _switch(decoder, applied.method.adapter, True)


def _switch(decoder: Decoder, adapter: Adapter[Any], on: bool) -> None:
    adapter.switch(decoder, on)
    token_rows.switch(decoder, on)


def save_adapter(decoder: Decoder, settings: AdaptSettings, folder: Path, *, base: str) -> None:
    """Writes the adapter in peft's layout; after full or partial fine-tuning there is none to write."""
    adapter = method_of(settings).adapter
    if adapter is None:
        raise RecipeError("This method leaves no adapter.", seen=settings.type, next_move="export the merged model")
    tensors = {**adapter.state(decoder, settings), **token_rows.state(decoder)}
    write_adapter(folder, tensors, adapter.config(settings, base) | token_rows.peft_config(decoder))


def write_adapter(folder: Path, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> None:
    """The two files that peft reads."""
    # A copy each: some methods share one projection among layers, and a file holds no shared memory.
    contiguous = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_bytes(folder / WEIGHTS, save(contiguous, metadata={"format": "pt"}))
    write_json(folder / CONFIG, config)


def read_adapter(folder: Path) -> dict[str, Tensor]:
    """The tensors that `write_adapter` wrote. Raises ModelError: the file is absent or damaged."""
    try:
        tensors: dict[str, Tensor] = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            "The adapter cannot be read.",
            where=str(folder / WEIGHTS),
            seen=str(error)[:120],
            next_move="train or save the adapter again",
        ) from error
    return tensors


def without_rows(folder: Path) -> None:
    """Leaves the rows of new tokens out of a saved adapter, for a base that has them as they were learnt."""
    tensors, config = token_rows.left_out(read_adapter(folder), read_json(folder / "adapter_config.json"))
    write_adapter(folder, tensors, config)


def learnt_tables(decoder: Decoder) -> dict[str, Tensor]:
    """The tables of the vocabulary with the rows of new tokens as they were learnt; nothing where there are none."""
    return token_rows.merged(decoder)


def load_adapter(decoder: Decoder, settings: AdaptSettings, folder: Path) -> None:
    """The inverse of `save_adapter`: readies the decoder and fills the adapter.

    Raises ModelError: the file is absent or damaged, or its tensors are not exactly those of these settings.
    """
    tensors = read_adapter(folder)
    adapter = method_of(settings).adapter
    settings = adapter.saved(settings) if adapter else settings
    apply(decoder, settings)
    own = adapter.state(decoder, settings) if adapter else {}
    wanted = {**own, **token_rows.state(decoder)}
    shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items()}
    odd = sorted({*shapes.items()} ^ {(name, tuple(tensor.shape)) for name, tensor in tensors.items()})
    if odd or adapter is None:
        raise ModelError(
            "The adapter does not fit this model.",
            where=str(folder / WEIGHTS),
            seen=f"{len(odd)} names or shapes differ: {', '.join(f'{name} {shape}' for name, shape in odd[:3])}",
            next_move="use the base and the settings that it was trained with",
        )
    adapter.load(decoder, settings, {name: tensors[name] for name in own})
    token_rows.load(decoder, tensors)


def settle(decoder: Decoder) -> None:
    """Readies an adapted decoder for generation alone: what is the same in every pass is made once. It neither trains
    nor merges after that, so the base's weights are not held on to."""
    applied = _applied(decoder)
    if applied is not None and applied.method.adapter is not None:
        applied.method.adapter.settle(decoder)
        decoder.adaptation = _Applied(applied.method, {}, {})


def merged_tensors(decoder: Decoder) -> dict[str, Tensor]:
    """All weights under transformers' names with the adapter worked in, float32 where it was.

    Raises RecipeError: this kind of adapter has no merged form.
    """
    applied = _applied(decoder)
    wide = torch.float64 if decoder.compute == torch.float64 else torch.float32
    if applied is None:
        dense = {name: parameter.detach() for name, parameter in decoder.named_parameters()}
        return dense | unpacked_tensors(packed_layers(decoder), wide)
    merged = applied.method.adapter.merged if applied.method.adapter else applied.method.merged
    changed = merged(decoder) if merged else {}
    plain = {name: parameter.detach() for name, parameter in applied.weights.items()}
    unpacked = unpacked_tensors(applied.packed, wide, but=changed)
    return {**plain, **unpacked, **changed, **token_rows.merged(decoder)}
