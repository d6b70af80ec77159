"""Prefix tuning: in every layer P learnt keys and values stand before those of the text (arXiv 2101.00190).

The file is in the layout of peft's PREFIX_TUNING. Names: P places, Y layers, K key-value heads, d width of a head.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from burnish.adapt.further_settings import PrefixSettings
from burnish.adapt.method import Adapter, Method, fill, no_merged_form
from burnish.adapt.prompt import drawn_tokens, switch
from burnish.model.attention import Attend, forest_attention
from burnish.model.attention_rule import AttentionRule
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant


class PrefixStates(nn.Module):
    """An opening whose keys and values are learnt, those of keys as they are after rotation. What its places compute
    themselves is read by nobody. `table`: (P, Y * 2 * K * d) in float32, keys before values."""

    def __init__(self, table: Tensor, layers: int, head_width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(table)
        self.shape = (len(table), layers, 2, -1, head_width)
        self.places = len(table)
        self.on = True

    def forward(self, tokens_T: Tensor, x_T_D: Tensor, attend: Attend) -> tuple[Tensor, Attend]:
        (at,) = torch.where(tokens_T < 0)
        if not len(at):
            return x_T_D, attend
        place = tokens_T[at]

        def attend_after(layer: int, query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
            learnt = self.table.view(self.shape)[place, layer].to(key.dtype)  # (P, 2, K, d); place -1 is the last
            key, value = key.index_put((at,), learnt[:, 0]), value.index_put((at,), learnt[:, 1])
            return attend(layer, query, key, value, rule)

        return x_T_D, attend_after


def apply(decoder: Decoder, settings: PrefixSettings, seed: int) -> None:
    """Puts keys and values before everything; they begin as those of tokens drawn by `seed`, which the paper found
    steadier than random numbers. Raises RecipeError: too many."""
    tokens = drawn_tokens(decoder, settings.tokens, seed).tolist()
    decoder.opening = PrefixStates(_states(decoder, tokens), decoder.config.layers, decoder.config.head_width)


@torch.no_grad()
def _states(decoder: Decoder, tokens: list[int]) -> Tensor:
    """Keys and values of these tokens in every layer, laid out as `PrefixStates.table`."""
    forest = plant([Segment(tokens, [0.0] * len(tokens))]).to(decoder.device)
    inner = forest_attention(forest)
    found: list[Tensor] = []

    def attend(layer: int, query: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
        found.append(torch.stack([key, value], dim=1).float())
        return inner(layer, query, key, value, rule)

    decoder(forest.tokens_T, forest.position_T, attend)
    return torch.stack(found, dim=1).flatten(1)


def state(decoder: Decoder, settings: PrefixSettings) -> dict[str, Tensor]:
    """The table under peft's name."""
    assert isinstance(decoder.opening, PrefixStates)
    return {"prompt_embeddings": decoder.opening.table.detach()}


def load(decoder: Decoder, settings: PrefixSettings, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    fill(state(decoder, settings), tensors)


def peft_config(settings: PrefixSettings, base: str) -> dict[str, Any]:
    """adapter_config.json as peft reads it; the model's dimensions it takes from the model."""
    return {
        "peft_type": "PREFIX_TUNING",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "num_virtual_tokens": settings.tokens,
        "num_transformer_submodules": 1,
        "prefix_projection": False,
        "inference_mode": True,
    }


def merged(decoder: Decoder) -> NoReturn:
    """Raises RecipeError."""
    raise no_merged_form("Learnt keys and values before the text")


METHOD = Method(apply=apply, adapter=Adapter(switch, state, peft_config, load, merged))
