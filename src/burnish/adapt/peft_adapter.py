"""Any adapter of the peft library that lives in linear layers (IA3, DoRA, OFT, …), by its own configuration."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from peft import PeftConfig, PeftType, get_peft_model_state_dict, inject_adapter_in_model, set_peft_model_state_dict
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor

from burnish.adapt.further_settings import IA3Settings
from burnish.adapt.method import Adapter, Method
from burnish.adapt.settings import GROUPS, PeftSettings
from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder

ADAPTER = "default"
Injected: TypeAlias = PeftSettings | IA3Settings


def make_config(settings: Injected) -> PeftConfig:
    """peft's own configuration object. Raises RecipeError: unknown type or option, or dropout."""
    options = {"target_modules": list(GROUPS["all-linear"]), "task_type": "CAUSAL_LM", **settings.config}
    kind = str(options.pop("peft_type", "")).upper()
    known = {member.value: member for member in PeftType}
    if kind not in known:
        raise RecipeError(
            "`adapt.config.peft_type` is not one of peft's types.",
            seen=kind or "nothing",
            next_move=f"use one of: {', '.join(sorted(known))}",
        )
    try:
        config = PEFT_TYPE_TO_CONFIG_MAPPING[known[kind]](**options)
    except (TypeError, ValueError) as error:
        raise RecipeError("peft refuses `adapt.config`.", seen=str(error), next_move="see peft's own docs") from error
    if dropout := sorted(name for name, value in vars(config).items() if "dropout" in name and value):
        # Its draws would make packed, shared and resumed rows differ from plain ones.
        raise RecipeError(
            "Dropout inside an adapter is not supported.",
            where=f"adapt.config.{dropout[0]}",
            seen=str(vars(config)[dropout[0]]),
            next_move="leave it out: early stop on dev guards against learning by heart",
        )
    return config


def plain_config(settings: Injected, base: str) -> dict[str, Any]:
    """adapter_config.json as peft writes it, sets in order."""
    made = make_config(settings).to_dict()
    whole = {**made, "base_model_name_or_path": base, "inference_mode": True}
    plain: dict[str, Any] = json.loads(json.dumps(whole, default=sorted))
    return plain


def apply(decoder: Decoder, settings: Injected, seed: int) -> None:
    """Lets peft put its layers into the network. Raises RecipeError: it finds nothing to adapt."""
    config = make_config(settings)
    with torch.random.fork_rng(devices=[]):  # peft draws from torch's own generator
        torch.manual_seed(seed)
        try:
            inject_adapter_in_model(config, decoder, adapter_name=ADAPTER)
        except (ValueError, KeyError, AttributeError) as error:
            raise RecipeError("peft can't put this adapter into the model.", seen=str(error)) from error
    for parameter in decoder.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def layers(decoder: Decoder) -> dict[str, Any]:
    """peft's layers by name; empty where peft put none."""
    return {name: module for name, module in decoder.named_modules() if isinstance(module, BaseTunerLayer)}


def switch(decoder: Decoder, on: bool) -> None:
    """Adapter on or off."""
    for module in layers(decoder).values():
        module.enable_adapters(on)


def state(decoder: Decoder, settings: Injected) -> dict[str, Tensor]:
    """The adapter's tensors under the names of peft's files."""
    config = make_config(settings)
    decoder_state = get_peft_model_state_dict(_with_config(decoder, config), adapter_name=ADAPTER)
    return {f"base_model.model.{name.removeprefix('base_model.model.')}": t for name, t in decoder_state.items()}


def load_state(decoder: Decoder, settings: Injected, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    bare = {name.removeprefix("base_model.model."): tensor for name, tensor in tensors.items()}
    set_peft_model_state_dict(_with_config(decoder, make_config(settings)), bare, adapter_name=ADAPTER)


def _with_config(decoder: Decoder, config: PeftConfig) -> Decoder:
    decoder.peft_config = {ADAPTER: config}  # type: ignore[assignment]  # where peft's functions look for it
    return decoder


def merged(decoder: Decoder) -> dict[str, Tensor]:
    """Weight and bias of every adapted module, merged in float32. Raises RecipeError: there is no merged form."""
    tensors = {}
    for name, module in layers(decoder).items():
        plain = copy.deepcopy(module)
        if plain.get_base_layer().weight.dtype != torch.float64:
            plain.get_base_layer().float()
        try:
            plain.merge(safe_merge=True)
        except (NotImplementedError, AttributeError, ValueError) as error:
            raise RecipeError(
                "This kind of adapter can't be merged into the weights.",
                seen=str(error),
                next_move="leave `merged` and `gguf` out of `export` and serve the adapter beside its base",
            ) from error
        for kind, parameter in plain.get_base_layer().named_parameters():
            tensors[f"{name}.{kind}"] = parameter.detach()
    return tensors


METHOD = Method(apply=apply, adapter=Adapter(switch, state, plain_config, load_state, merged))
