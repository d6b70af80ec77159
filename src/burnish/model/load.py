"""Checkpoint → decoder, and decoder → tensors: each the inverse of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from burnish.core.errors import ModelError
from burnish.model.config import decoder_config
from burnish.model.decoder import Decoder, Embedding, Linear
from burnish.model.packing import Packing
from burnish.model.pointwise import PLAIN, Pointwise


def build_decoder(
    config: Mapping[str, object],
    tensors: Mapping[str, Tensor],
    *,
    dtype: torch.dtype,
    device: torch.device,
    pointwise: Pointwise = PLAIN,
    packing: Packing | None = None,
    tokens: int | None = None,
    new_ids: tuple[int, ...] = (),
) -> Decoder:
    """A frozen decoder with these weights, in `dtype`, but for what `packing` keeps in another form.

    `tokens`: ids from there on only fill the vocabulary up; `new_ids`: those that were added.

    Raises ModelError: a tensor is missing, left over, of the wrong shape or not finite.
    """
    with torch.device("meta"):
        decoder = Decoder(decoder_config(config), compute=dtype, pointwise=pointwise)
    packed = _put_packed(decoder, packing) if packing else set()
    wanted = dict(decoder.named_parameters())
    given = {name for name in tensors if not name.endswith("rotary_emb.inv_freq")} - packed
    if decoder.lm_head is None:
        given.discard("lm_head.weight")
    missing, extra = sorted(set(wanted) - given), sorted(given - set(wanted))
    if missing or extra:
        raise ModelError(
            "The weights do not fit the configuration.",
            where=f"missing {missing[:3]}, left over {extra[:3]}",
            seen=f"{len(missing)} missing, {len(extra)} left over",
            next_move="download the model again, or check that config.json belongs to these weights",
        )
    # Beside packed layers a copy: a view would keep the whole file in memory for the sake of its embedding.
    copy = packing is not None
    ready = {name: _checked(name, tensors[name], wanted[name].shape).to(device, dtype, copy=copy) for name in wanted}
    decoder.load_state_dict(ready, assign=True)
    decoder.tokens, decoder.new_ids = tokens or decoder.config.vocab, new_ids
    return decoder.requires_grad_(False).eval()


def _put_packed(decoder: Decoder, packing: Packing) -> set[str]:
    """Puts the packed layers in their places. Returns the names of the tensors that are not needed any more."""
    packed: set[str] = set()
    for name, dense in list(decoder.named_modules()):
        if isinstance(dense, Linear | Embedding):
            pack = packing.linear if name.startswith("model.layers.") else packing.table
            if pack is not None and (made := pack(name)) is not None:
                if isinstance(dense, Linear):
                    _check_shape(f"{name}.weight", (made.out_features, made.in_features), dense.weight.shape)
                decoder.set_submodule(name, made)
                packed |= {f"{name}.{part}" for part, _ in dense.named_parameters()}
    return packed


def _check_shape(name: str, seen: Sequence[object], shape: Sequence[object]) -> None:
    if tuple(seen) != tuple(shape):
        raise ModelError(
            f"The tensor {name} has the wrong shape.",
            seen=str(tuple(seen)),
            where=f"the configuration says {tuple(shape)}",
            next_move="check that config.json belongs to these weights",
        )


def _checked(name: str, tensor: Tensor, shape: torch.Size) -> Tensor:
    _check_shape(name, tensor.shape, shape)
    if not tensor.is_floating_point():
        raise ModelError(
            f"The tensor {name} holds whole numbers.",
            where=f"the weights: {name}",
            seen=str(tensor.dtype),
            next_move="use a model whose weights are stored as numbers with a fraction, or as GGUF",
        )
    if not torch.isfinite(tensor.sum(dtype=torch.float32)):  # a sum in float16 overflows at 65,504
        raise ModelError(
            f"The tensor {name} holds NaN or infinity.",
            where=f"the weights: {name}",
            next_move="download the model again",
        )
    return tensor


def decoder_tensors(decoder: Decoder) -> dict[str, Tensor]:
    """The weights under transformers' names, without any adapter."""
    return {name: parameter.detach() for name, parameter in decoder.named_parameters()}


def weight_count(decoder: Decoder) -> int:
    """Weights of the base, in whatever form they are kept."""
    with torch.device("meta"):
        dense = Decoder(decoder.config)
    return sum(parameter.numel() for parameter in dense.parameters())
