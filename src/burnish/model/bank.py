"""LoRA updates of several adapters beside one frozen network, chosen for each token: a batch may mix them.

The factors of all adapters of a matrix stand side by side, A (R, in) and B (out, R) with R the sum of the ranks. A pass
multiplies by the stretch from its first adapter to its last and sets to 0, between the two products, what is not a
token's own. Two products and one mask a matrix cost less than two products for each adapter, and a token of the base,
or of any other adapter, gets exactly 0 from the rest.

Names: T tokens, R ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from burnish.core.errors import ModelError
from burnish.model.decoder import Decoder
from burnish.model.frozen_linear import FrozenLinear

Factors = tuple[Tensor, Tensor]  # A (r, in), and B (out, r) with its scale in it


class _Mix:
    """Which adapters the tokens of a pass have, for all layers. None: only the base."""

    def __init__(self) -> None:
        self.keys: tuple[str, ...] = ()  # of all adapters, in the order of their factors
        self.span: tuple[int, int] | None = None  # of `keys`, from the first in use to the last
        self.owner_T: Tensor | None = None
        self.masks: dict[tuple[int, ...], Tensor] = {}

    def assign(self, adapter_T: Sequence[str], device: torch.device) -> None:
        """Raises ValueError: one is not loaded."""
        number = {key: at for at, key in enumerate(self.keys)} | {"": -1}
        if missing := set(adapter_T) - number.keys():
            raise ValueError(f"an adapter is not loaded: {missing}")
        used = sorted({number[key] for key in adapter_T} - {-1})
        self.masks = {}
        self.span = (used[0], used[-1] + 1) if used else None
        self.owner_T = torch.tensor([number[key] for key in adapter_T], device=device) if used else None

    def mask(self, ranks: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """(T, R) 1 where a rank is of the token's own adapter. `ranks`: of the adapters in the span."""
        assert self.span is not None
        assert self.owner_T is not None
        if ranks not in self.masks:
            numbers = torch.arange(*self.span, device=self.owner_T.device)
            owner_R = numbers.repeat_interleave(torch.tensor(ranks, device=self.owner_T.device))
            self.masks[ranks] = (self.owner_T[:, None] == owner_R).to(dtype)
        return self.masks[ranks]


class MixedLinear(nn.Module):
    """A frozen layer with the updates of several adapters."""

    def __init__(self, base: FrozenLinear, mix: _Mix) -> None:
        super().__init__()
        self.base = base
        self.in_features, self.out_features = base.in_features, base.out_features
        self.mix = mix
        self.factors: dict[str, Factors] = {}
        self.starts: list[int] = [0]  # where each adapter's ranks begin, and the end
        self.a_R_in = torch.empty(0)
        self.b_R_out = torch.empty(0)

    def stack(self, dtype: torch.dtype, device: torch.device) -> None:
        """Puts the factors side by side, in the order of the bank."""
        found = [self.factors.get(key) for key in self.mix.keys]
        ranks = [0 if one is None else len(one[0]) for one in found]
        self.starts = [sum(ranks[:number]) for number in range(len(ranks) + 1)]
        there = [one for one in found if one is not None]
        if there:
            self.a_R_in = torch.cat([a for a, _ in there]).to(device, dtype)
            self.b_R_out = torch.cat([b.T for _, b in there]).to(device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.base(x)
        if self.mix.span is None:
            return output
        first, last = self.mix.span
        rows = slice(self.starts[first], self.starts[last])
        if rows.start == rows.stop:
            return output
        ranks = tuple(self.starts[at + 1] - self.starts[at] for at in range(first, last))
        inner = (x @ self.a_R_in[rows].T).mul_(self.mix.mask(ranks, x.dtype))
        return output.addmm_(inner, self.b_R_out[rows])


class Bank:
    """The adapters of one decoder. Its layers are wrapped when an adapter first touches them."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self._mix = _Mix()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the adapters that are loaded."""
        return self._mix.keys

    def add(self, key: str, updates: Mapping[str, Factors]) -> None:
        """Loads an adapter: for each matrix, by transformers' name, A and B.

        Raises ModelError: it does not fit the model; then nothing is changed. Raises ValueError: the key is taken.
        """
        if not key or key in self.keys:
            raise ValueError(f"an adapter needs a key of its own, not {key!r}")
        for name, (a, b) in updates.items():
            check_fit(self.decoder, name, a, b, name)
            if not (a.isfinite().all() and b.isfinite().all()):
                raise ModelError("The adapter holds a number that is not finite.", where=name)
        for name, factors in updates.items():
            self._layer(name).factors[key] = factors
        self._mix.keys = (*self.keys, key)
        self._stack()

    def remove(self, key: str) -> None:
        """The inverse of `add`. Raises KeyError: there is none of that key."""
        if key not in self.keys:
            raise KeyError(key)
        self._mix.keys = tuple(other for other in self.keys if other != key)
        for layer in self._layers():
            layer.factors.pop(key, None)
        self._stack()

    def assign(self, adapter_T: Sequence[str]) -> None:
        """Says which adapter each token of the next pass has, "" for the base. Raises ValueError: one is not loaded."""
        self._mix.assign(adapter_T, self.decoder.device)

    def _layers(self) -> list[MixedLinear]:
        return [module for module in self.decoder.modules() if isinstance(module, MixedLinear)]

    def _stack(self) -> None:
        for layer in self._layers():
            layer.stack(self.decoder.compute, self.decoder.device)

    def _layer(self, name: str) -> MixedLinear:
        layer = self.decoder.get_submodule(name)
        if isinstance(layer, MixedLinear):
            return layer
        assert isinstance(layer, FrozenLinear)
        mixed = MixedLinear(layer, self._mix)
        self.decoder.set_submodule(name, mixed)
        return mixed


def check_fit(decoder: Decoder, name: str, a: Tensor, b: Tensor, where: str) -> None:
    """Raises ModelError: the update B A of the matrix of this name, inside the layers, is not of its shape."""
    there: tuple[int, int] | None = None
    if name.startswith("model.layers."):
        try:
            layer = decoder.get_submodule(name)
        except AttributeError:
            layer = decoder
        if isinstance(layer, FrozenLinear | MixedLinear):
            there = (layer.out_features, layer.in_features)
    if there != (b.shape[0], a.shape[1]) or a.shape[0] != b.shape[1]:
        raise ModelError(
            "The adapter does not fit this model.",
            where=where,
            seen=f"an update of {(b.shape[0], a.shape[1])}, the model has {there or 'no such matrix'}",
            next_move="use the base that it was trained with",
        )


def assign(decoder: Decoder, adapter_T: Sequence[str]) -> None:
    """Before each pass. Raises ValueError: an adapter is asked for that is not loaded."""
    if decoder.bank is not None:
        decoder.bank.assign(adapter_T)
    elif any(adapter_T):
        raise ValueError("this decoder has no bank of adapters")
