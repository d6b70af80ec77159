"""Rows of new tokens that train beside any method, in the embedding and in a head of its own.

The file's tensors are named as peft names them beside LoRA (`trainable_token_indices`). Names: V rows of a table, N of
them learnt, D width of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from burnish.adapt.method import fill
from burnish.model.decoder import Decoder

PLACES = ("model.embed_tokens", "lm_head")
DELTA = "token_adapter.trainable_tokens_delta"  # peft's name; the rows themselves, not a difference


class _Written(torch.autograd.Function):
    """A table with `rows` written into it, as one tensor whose gradient reaches the rows alone."""

    @staticmethod
    def forward(ctx: Any, table_V_D: Tensor, rows_N_D: Tensor, ids_N: Tensor) -> Tensor:
        ctx.save_for_backward(ids_N)
        ctx.wide = rows_N_D.dtype
        return table_V_D.detach()

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        (ids_N,) = ctx.saved_tensors
        return None, slopes[0][ids_N].to(ctx.wide), None


class LearntRows(nn.Module):
    """A frozen table of which a few rows train in float32. The table always holds what they are in its own precision,
    so whoever multiplies with it needs to know nothing; switched off, it holds what they were."""

    def __init__(self, table: nn.Parameter, ids: tuple[int, ...]) -> None:
        super().__init__()
        self.table = table
        self.ids_N = torch.tensor(ids, device=table.device)
        self.start_N_D = table.detach()[self.ids_N]
        wide = torch.promote_types(table.dtype, torch.float32)
        self.rows = nn.Parameter(self.start_N_D.to(wide, copy=True))
        self.place_V = torch.full((len(table),), -1, device=table.device)
        self.place_V[self.ids_N] = torch.arange(len(ids), device=table.device)
        self.on = True

    def write(self) -> None:
        """Brings the table to what the rows are."""
        self.table.data[self.ids_N] = self.rows.detach().to(self.table.dtype) if self.on else self.start_N_D

    @property
    def weight(self) -> Tensor:
        """(V, D)."""
        self.write()
        if not (self.on and self.rows.requires_grad and torch.is_grad_enabled()):
            return self.table
        written: Tensor = _Written.apply(self.table, self.rows, self.ids_N)  # type: ignore[no-untyped-call]
        return written

    def forward(self, tokens_T: Tensor) -> Tensor:
        """As an embedding. The gradient is that of the rows alone, without a table of zeros around them."""
        self.write()
        x_T_D = F.embedding(tokens_T, self.table)
        (at,) = torch.where(self.place_V[tokens_T] >= 0)
        if not (self.on and len(at)):
            return x_T_D
        return x_T_D.index_put((at,), self.rows[self.place_V[tokens_T[at]]].to(x_T_D.dtype))


def apply(decoder: Decoder) -> None:
    """Lets the rows of the decoder's new tokens train, where the whole table does not already."""
    for place in PLACES if decoder.new_ids else ():
        if place == "lm_head" and decoder.lm_head is None:
            continue
        table = decoder.get_parameter(f"{place}.weight")
        if not table.requires_grad:
            decoder.set_submodule(place, LearntRows(table, decoder.new_ids))


def layers(decoder: Decoder) -> dict[str, LearntRows]:
    """The tables with learnt rows by their transformers name."""
    found = {place: decoder.get_submodule(place) for place in PLACES if place != "lm_head" or decoder.lm_head}
    return {place: module for place, module in found.items() if isinstance(module, LearntRows)}


def switch(decoder: Decoder, on: bool) -> None:
    """With the rows off they are again what they began as. Written at once: a gradient that is still to be computed
    reads the table as it was before the switch and back."""
    for module in layers(decoder).values():
        module.on = on
        module.write()


def state(decoder: Decoder) -> dict[str, Tensor]:
    """(N, D) for each table, under peft's names."""
    return {f"base_model.model.{place}.{DELTA}": module.rows.detach() for place, module in layers(decoder).items()}


def load(decoder: Decoder, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    fill(state(decoder), tensors)


def peft_config(decoder: Decoder) -> dict[str, Any]:
    """What adapter_config.json says of them; nothing where there are none. peft reads it beside LoRA."""
    found = {place.rpartition(".")[2]: list(decoder.new_ids) for place in layers(decoder)}
    return {"trainable_token_indices": found} if found else {}


def left_out(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A saved adapter without what `state` and `peft_config` put into it."""
    kept = {name: tensor for name, tensor in tensors.items() if not name.endswith(DELTA)}
    return kept, {key: value for key, value in config.items() if key != "trainable_token_indices"}


def merged(decoder: Decoder) -> dict[str, Tensor]:
    """The whole tables with the rows in them, as wide as the rows are."""
    return {
        f"{place}.weight": module.table.detach().to(module.rows.dtype).index_copy(0, module.ids_N, module.rows.detach())
        for place, module in layers(decoder).items()
    }
