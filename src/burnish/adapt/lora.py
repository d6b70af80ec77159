"""LoRA: y = W x + s · B A x with s = alpha / r, and A and B trained in float32 (arXiv 2106.09685). rsLoRA has
s = alpha / sqrt(r) (arXiv 2312.03732); LoRA+, DoRA, PiSSA and dropout are parts that a layer may have besides.

Files are in the layout that the peft library reads and writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from burnish.adapt.dora import rescaled, row_norms
from burnish.adapt.dropout import Draws, Dropout
from burnish.adapt.method import Adapter, Method
from burnish.adapt.pissa import principal_factors
from burnish.adapt.ranks import check_ranks, pattern, rank_of
from burnish.adapt.settings import LoRASettings
from burnish.adapt.targets import find_targets
from burnish.model.decoder import Decoder
from burnish.model.frozen_linear import FrozenLinear


class _Adapted(torch.autograd.Function):
    """x Wᵀ + bias + s · (x Aᵀ) Bᵀ with W frozen: both products add up in place, there and back.

    A and B are float32; the products run in the precision of x. W is asked of its layer in both directions, so that one
    that is kept in fewer bits is never kept dense between them; so are the factors of dropout, where there are any.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, base: FrozenLinear, a: Tensor, b: Tensor, scale: float, kept: Callable[[], Tensor] | None
    ) -> Tensor:
        narrow_a, narrow_b = a.to(x.dtype), (b * scale).to(x.dtype)
        inner = (x if kept is None else x * kept()) @ narrow_a.T
        ctx.save_for_backward(x, inner, narrow_a, narrow_b)
        ctx.base, ctx.scale, ctx.wide, ctx.kept = base, scale, a.dtype, kept
        bias = None if base.bias is None else base.bias.to(x.dtype)
        return F.linear(x, base.dense(x.dtype), bias).addmm_(inner, narrow_b.T)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        x, inner, narrow_a, narrow_b = ctx.saved_tensors
        (slope,) = slopes
        into_inner = slope @ narrow_b
        kept = None if ctx.kept is None else ctx.kept()
        into_x = None
        if ctx.needs_input_grad[0]:
            into_x = slope @ ctx.base.dense(slope.dtype)
            if kept is None:
                into_x.addmm_(into_inner, narrow_a)
            else:
                into_x.addcmul_(into_inner @ narrow_a, kept)
        into_a = (into_inner.T @ (x if kept is None else x * kept)).to(ctx.wide)
        return into_x, None, into_a, (slope.T @ inner).to(ctx.wide) * ctx.scale, None, None


class LoRALinear(nn.Module):
    """A frozen linear layer with a low-rank update beside it. B starts at zero: at first nothing changes.

    settled: factors in the precision of the activations and the lengths of the rows, where nothing changes any more
    start: factors A₀ and B₀ whose product is taken off, where the update does not begin at zero
    lora_magnitude_vector: (out,) the lengths of the rows, where these learn too
    """

    start: tuple[Tensor, Tensor] | None
    lora_magnitude_vector: nn.Parameter | None

    def __init__(
        self, base: FrozenLinear, r: int, scale: float, device: torch.device, dropout: Dropout | None = None
    ) -> None:
        super().__init__()
        self.base = base
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features, dtype=torch.float32, device=device))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r, dtype=torch.float32, device=device))
        self.lora_magnitude_vector = None
        self.scale = scale
        self.dropout = dropout
        self.start = None
        self.settled: tuple[Tensor, Tensor, Tensor | None] | None = None
        self.on = True

    def learn_lengths(self) -> None:
        """DoRA: the rows begin with the lengths that they have."""
        self.lora_magnitude_vector = nn.Parameter(row_norms(self.base.dense(torch.float32)).clone())

    def start_principal(self) -> None:
        """PiSSA: the update begins with the base's largest directions, which are taken off beside it."""
        r = self.lora_A.shape[0]
        a, b = (
            part.to(self.lora_A.device) for part in principal_factors(self.base.dense(torch.float32), r, self.scale)
        )
        self.lora_A.data.copy_(a)
        self.lora_B.data.copy_(b)
        self.start = a, b

    def factors(self) -> tuple[Tensor, Tensor]:
        """A and B of all that stands beside the base."""
        if self.start is None:
            return self.lora_A, self.lora_B
        a, b = self.start
        return torch.cat([self.lora_A, a]), torch.cat([self.lora_B, -b], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        if not self.on:
            base: Tensor = self.base(x)
            return base
        if self.settled is not None:
            return self._quick(x, *self.settled)
        a, b = self.factors()
        kept = self.dropout.of_pass(x) if self.dropout is not None and torch.is_grad_enabled() else None
        adapted: Tensor = _Adapted.apply(x, self.base, a, b, self.scale, kept)  # type: ignore[no-untyped-call]
        if self.lora_magnitude_vector is None:
            return adapted
        return rescaled(adapted, self.base.bias, self.lora_magnitude_vector, row_norms(self._summed(a.dtype)))

    @torch.no_grad()
    def settle(self, dtype: torch.dtype) -> None:
        """From now on it answers alone, in `dtype`: factors are narrowed and rows are measured once."""
        a, b = self.factors()
        lengths = None if self.lora_magnitude_vector is None else row_norms(self._summed(a.dtype))
        self.settled = a.to(dtype), (b * self.scale).to(dtype), lengths

    def _quick(self, x: Tensor, narrow_a: Tensor, narrow_b: Tensor, lengths: Tensor | None) -> Tensor:
        adapted: Tensor = self.base(x).addmm_(x @ narrow_a.T, narrow_b.T)
        if lengths is None:
            return adapted
        return rescaled(adapted, self.base.bias, cast(Tensor, self.lora_magnitude_vector), lengths)

    @torch.no_grad()
    def _summed(self, wide: torch.dtype) -> Tensor:
        a, b = (part.to(wide) for part in self.factors())
        return torch.addmm(self.base.dense(wide), b, a, alpha=self.scale)

    def merged_weight(self, wide: torch.dtype) -> Tensor:
        """W + s · B A in a wide precision, with its rows at their lengths: the inverse of keeping the update apart."""
        summed = self._summed(wide)
        if self.lora_magnitude_vector is None:
            return summed
        return summed * (self.lora_magnitude_vector.detach().to(wide) / row_norms(summed))[:, None]


def apply(decoder: Decoder, settings: LoRASettings, seed: int) -> None:
    """Puts LoRA beside every matrix named in the settings.

    Raises RecipeError: a name matches nothing, or a rank is larger than its matrix.
    """
    found = find_targets(decoder, settings.target_names)
    check_ranks([name for name, _ in found], settings.ranks)
    generator = torch.Generator().manual_seed(seed)
    draws = Draws(seed)
    for number, (name, base) in enumerate(found):
        r = rank_of(name, settings.ranks, settings.r)
        dropout = Dropout(draws, number, settings.dropout) if settings.dropout else None
        layer = LoRALinear(base, r, scale_of(settings, r), decoder.device, dropout)
        # As torch initialises a linear layer: uniform within ± 1/sqrt(inputs).
        bound = 1 / math.sqrt(base.in_features)
        layer.lora_A.data.copy_(torch.empty(layer.lora_A.shape).uniform_(-bound, bound, generator=generator))
        if settings.start == "pissa":
            layer.start_principal()
        if settings.dora:
            layer.learn_lengths()
        decoder.set_submodule(name, layer)
    if settings.dropout:
        decoder.register_forward_pre_hook(draws.note)


def scale_of(settings: LoRASettings, r: int) -> float:
    """How many times the update of a matrix of rank r counts."""
    return settings.alpha / math.sqrt(r) if settings.rslora else settings.alpha / r


def layers(decoder: Decoder) -> dict[str, LoRALinear]:
    """All LoRA layers by the transformers name of the matrix they stand beside."""
    return {name: module for name, module in decoder.named_modules() if isinstance(module, LoRALinear)}


def switch(decoder: Decoder, on: bool) -> None:
    """With the adapter off the network is the base again, to the last bit."""
    for module in layers(decoder).values():
        module.on = on


def rates(decoder: Decoder, settings: LoRASettings) -> dict[str, float]:
    """LoRA+: B learns faster than A."""
    if settings.plus_ratio == 1:
        return {}
    return {f"{name}.lora_B": settings.plus_ratio for name in layers(decoder)}


def state(decoder: Decoder, settings: LoRASettings) -> dict[str, Tensor]:
    """The adapter's tensors under peft's names."""
    tensors: dict[str, Tensor] = {}
    for name, module in layers(decoder).items():
        a, b = module.factors()
        tensors[f"base_model.model.{name}.lora_A.weight"] = a.detach()
        tensors[f"base_model.model.{name}.lora_B.weight"] = b.detach()
        if module.lora_magnitude_vector is not None:
            tensors[f"base_model.model.{name}.lora_magnitude_vector"] = module.lora_magnitude_vector.detach()
    return tensors


def load(decoder: Decoder, settings: LoRASettings, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    for name, tensor in state(decoder, settings).items():
        tensor.copy_(tensors[name])


def saved(settings: LoRASettings) -> LoRASettings:
    """With PiSSA's start beside it an update has twice the rank; twice the alpha (√2 times for rsLoRA) keeps its scale.
    What only training needs is left out."""
    plain = settings.model_copy(update={"dropout": 0.0})
    if settings.start == "zero":
        return plain
    alpha = settings.alpha * (math.sqrt(2) if settings.rslora else 2)
    ranks = {glob: 2 * rank for glob, rank in settings.ranks.items()}
    return plain.model_copy(update={"start": "zero", "r": 2 * settings.r, "alpha": alpha, "ranks": ranks})


def peft_config(settings: LoRASettings, base: str) -> dict[str, Any]:
    """adapter_config.json as peft reads it."""
    form = saved(settings)
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": form.r,
        "lora_alpha": form.alpha,
        "rank_pattern": {pattern(glob): rank for glob, rank in form.ranks.items()},
        "use_rslora": form.rslora,
        "use_dora": form.dora,
        "lora_dropout": settings.dropout,
        "bias": "none",
        "target_modules": sorted(form.target_names),
        "inference_mode": True,
    }


def settle(decoder: Decoder) -> None:
    """Every layer as `LoRALinear.settle` leaves it; only loading it anew makes it train again."""
    for module in layers(decoder).values():
        module.settle(decoder.compute)


def merged(decoder: Decoder) -> dict[str, Tensor]:
    """The merged weight of every matrix with an update, by its name, in float32 (or float64)."""
    wide = torch.float64 if decoder.compute == torch.float64 else torch.float32
    return {f"{name}.weight": module.merged_weight(wide).detach() for name, module in layers(decoder).items()}


METHOD = Method(apply=apply, adapter=Adapter(switch, state, peft_config, load, merged, saved, settle), rates=rates)
