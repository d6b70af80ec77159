"""LoRA: y = W x + (alpha / r) · B A x, with A and B trained in float32 (arXiv 2106.09685).

Files are in the layout that the peft library reads and writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from burnish.adapt.method import Adapter, Method
from burnish.adapt.settings import LoRASettings
from burnish.core.errors import RecipeError
from burnish.model.decoder import Decoder


@runtime_checkable
class FrozenLinear(Protocol):
    """A layer of the base, whatever form its weight is kept in: `dense` gives it, (out, in), in any precision."""

    in_features: int
    out_features: int
    bias: Tensor | None

    def dense(self, dtype: torch.dtype) -> Tensor: ...

    def __call__(self, x: Tensor) -> Tensor: ...


class _Adapted(torch.autograd.Function):
    """x Wᵀ + bias + s · (x Aᵀ) Bᵀ with W frozen: both products add up in place, there and back.

    A and B are float32; the products run in the precision of x. W is asked of its layer in both directions, so that one
    that is kept in fewer bits is never kept dense between them.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, base: FrozenLinear, a: Tensor, b: Tensor, scale: float) -> Tensor:
        narrow_a, narrow_b = a.to(x.dtype), (b * scale).to(x.dtype)
        inner = x @ narrow_a.T
        ctx.save_for_backward(x, inner, narrow_a, narrow_b)
        ctx.base, ctx.scale, ctx.wide = base, scale, a.dtype
        bias = None if base.bias is None else base.bias.to(x.dtype)
        return F.linear(x, base.dense(x.dtype), bias).addmm_(inner, narrow_b.T)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        x, inner, narrow_a, narrow_b = ctx.saved_tensors
        (slope,) = slopes
        into_inner = slope @ narrow_b
        into_x = None
        if ctx.needs_input_grad[0]:
            into_x = (slope @ ctx.base.dense(slope.dtype)).addmm_(into_inner, narrow_a)
        into_a = (into_inner.T @ x).to(ctx.wide)
        return into_x, None, into_a, (slope.T @ inner).to(ctx.wide) * ctx.scale, None


class LoRALinear(nn.Module):
    """A frozen linear layer with a low-rank update beside it. B starts at zero: at first nothing changes."""

    def __init__(self, base: FrozenLinear, r: int, alpha: float, device: torch.device) -> None:
        super().__init__()
        self.base = base
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features, dtype=torch.float32, device=device))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r, dtype=torch.float32, device=device))
        self.scale = alpha / r
        self.on = True

    def forward(self, x: Tensor) -> Tensor:
        if not self.on:
            base: Tensor = self.base(x)
            return base
        adapted: Tensor = _Adapted.apply(  # type: ignore[no-untyped-call]
            x, self.base, self.lora_A, self.lora_B, self.scale
        )
        return adapted

    def merged_weight(self, wide: torch.dtype) -> Tensor:
        """W + (alpha / r) · B A in a wide precision: the inverse of keeping the update beside W."""
        return self.base.dense(wide) + self.scale * (self.lora_B.to(wide) @ self.lora_A.to(wide))


def apply(decoder: Decoder, settings: LoRASettings, seed: int) -> None:
    """Puts LoRA beside every matrix named in the settings.

    Raises RecipeError: a name matches nothing.
    """
    generator = torch.Generator().manual_seed(seed)
    found: set[str] = set()
    for layer in decoder.model.layers:
        for parent in layer.modules():
            for name, child in list(parent.named_children()):
                if name in settings.target_names and isinstance(child, FrozenLinear):
                    wrapped = LoRALinear(child, settings.r, settings.alpha, decoder.device)
                    # As torch initialises a linear layer: uniform within ± 1/sqrt(inputs).
                    bound = 1 / math.sqrt(child.in_features)
                    start = torch.empty(wrapped.lora_A.shape).uniform_(-bound, bound, generator=generator)
                    wrapped.lora_A.data.copy_(start)
                    setattr(parent, name, wrapped)
                    found.add(name)
    if missing := sorted(set(settings.target_names) - found):
        raise RecipeError(
            "`adapt.targets` names a matrix that this model does not have.",
            seen=", ".join(missing),
            next_move=f"use some of: {', '.join(_linear_names(decoder))}",
        )


def _linear_names(decoder: Decoder) -> list[str]:
    names = {name.rsplit(".", 1)[-1] for name, module in decoder.named_modules() if isinstance(module, FrozenLinear)}
    return sorted(names - {"lm_head"})


def layers(decoder: Decoder) -> dict[str, LoRALinear]:
    """All LoRA layers by the transformers name of the matrix they stand beside."""
    return {name: module for name, module in decoder.named_modules() if isinstance(module, LoRALinear)}


def switch(decoder: Decoder, on: bool) -> None:
    """With the adapter off the network is the base again, to the last bit."""
    for module in layers(decoder).values():
        module.on = on


def state(decoder: Decoder, settings: LoRASettings) -> dict[str, Tensor]:
    """The adapter's tensors under peft's names."""
    tensors: dict[str, Tensor] = {}
    for name, module in layers(decoder).items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = module.lora_A.detach()
        tensors[f"base_model.model.{name}.lora_B.weight"] = module.lora_B.detach()
    return tensors


def load(decoder: Decoder, settings: LoRASettings, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    for name, tensor in state(decoder, settings).items():
        tensor.copy_(tensors[name])


def peft_config(settings: LoRASettings, base: str) -> dict[str, Any]:
    """adapter_config.json as peft reads it."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": settings.r,
        "lora_alpha": settings.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(settings.target_names),
        "inference_mode": True,
    }


def merged(decoder: Decoder) -> dict[str, Tensor]:
    """The merged weight of every matrix with an update, by its name, in float32 (or float64)."""
    wide = torch.float64 if decoder.compute == torch.float64 else torch.float32
    return {f"{name}.weight": module.merged_weight(wide).detach() for name, module in layers(decoder).items()}


METHOD = Method(apply=apply, adapter=Adapter(switch, state, peft_config, load, merged))
