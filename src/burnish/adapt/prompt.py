"""Prompt tuning: P rows, learnt like embeddings, stand before everything the model reads (arXiv 2104.08691).

The file is in the layout of peft's PROMPT_TUNING.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from burnish.adapt.further_settings import PromptSettings
from burnish.adapt.method import Adapter, Method, fill, no_merged_form
from burnish.core.errors import RecipeError
from burnish.model.attention import Attend
from burnish.model.decoder import Decoder

# A vocabulary's first tokens are special ones and single bytes, then the most frequent pieces of words. Rows of
# frequent words are the better start of those that need no text ("sampled vocabulary" in the paper).
FREQUENT = (256, 5000)


class PromptRows(nn.Module):
    """An opening whose rows go into the first layer. They are float32 and are cast to the precision of the network."""

    def __init__(self, rows_P_D: Tensor) -> None:
        super().__init__()
        self.rows = nn.Parameter(rows_P_D)
        self.places = len(rows_P_D)
        self.on = True

    def forward(self, tokens_T: Tensor, x_T_D: Tensor, attend: Attend) -> tuple[Tensor, Attend]:
        (at,) = torch.where(tokens_T < 0)
        return x_T_D.index_put((at,), self.rows[tokens_T[at]].to(x_T_D.dtype)), attend  # -1 is the last row


def apply(decoder: Decoder, settings: PromptSettings, seed: int) -> None:
    """Puts rows before everything; they begin as those of tokens drawn by `seed`. Raises RecipeError: too many."""
    tokens_P = drawn_tokens(decoder, settings.tokens, seed)
    rows_P_D = decoder.model.embed_tokens(tokens_P).detach().float()
    scale = decoder.config.width**0.5 if decoder.config.gemma else 1.0  # they stand where Gemma's rows were scaled
    decoder.opening = PromptRows(rows_P_D * scale)


def drawn_tokens(decoder: Decoder, places: int, seed: int) -> Tensor:
    """(P,) frequent tokens of the vocabulary. Raises RecipeError: they would fill half of the model's context."""
    if places > decoder.config.context // 2:
        raise RecipeError(
            "`adapt.tokens` leaves too little of the model's context.",
            seen=f"{places} of {decoder.config.context} tokens",
            next_move=f"give at most {decoder.config.context // 2}",
        )
    vocab = decoder.config.vocab
    low, high = min(FREQUENT[0], vocab // 2), min(FREQUENT[1], vocab)
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, (places,), generator=generator).to(decoder.device)


def state(decoder: Decoder, settings: PromptSettings) -> dict[str, Tensor]:
    """(P, D) under peft's name."""
    assert isinstance(decoder.opening, PromptRows)
    return {"prompt_embeddings": decoder.opening.rows.detach()}


def load(decoder: Decoder, settings: PromptSettings, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `state`."""
    fill(state(decoder, settings), tensors)


def switch(decoder: Decoder, on: bool) -> None:
    """Off, nothing stands before what is read."""
    if decoder.opening is not None:
        decoder.opening.on = on


def peft_config(settings: PromptSettings, base: str) -> dict[str, Any]:
    """adapter_config.json as peft reads it; the model's dimensions it takes from the model."""
    return {
        "peft_type": "PROMPT_TUNING",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "num_virtual_tokens": settings.tokens,
        "num_transformer_submodules": 1,
        "prompt_tuning_init": "RANDOM",
        "inference_mode": True,
    }


def merged(decoder: Decoder) -> NoReturn:
    """Raises RecipeError."""
    raise no_merged_form("Learnt rows before the text")


METHOD = Method(apply=apply, adapter=Adapter(switch, state, peft_config, load, merged))
