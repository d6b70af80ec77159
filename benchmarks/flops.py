"""How many floating-point operations a training step needs, counted from the model's shapes and the rows.

Only what the mathematics asks for is counted: computing something a second time to save memory is not work done.
A product of (n, k) with (k, m) is 2 n k m operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from burnish.adapt.lora import LoRALinear
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest


@dataclass(frozen=True)
class Shapes:
    """`matrices`: (inputs, outputs) of every matrix of the layers; `adapter`: weights of all adapters together."""

    matrices: tuple[tuple[int, int], ...]
    adapter: int
    heads_times_width: int  # of the queries, over all layers
    width: int
    vocab: int


def shapes_of(decoder: Decoder) -> Shapes:
    """Read from the network, with or without LoRA."""
    matrices = [
        (parameter.shape[1], parameter.shape[0])
        for name, parameter in decoder.model.layers.named_parameters()
        if parameter.dim() == 2 and "lora_" not in name
    ]
    adapter = sum(
        module.lora_A.numel() + module.lora_B.numel() for module in decoder.modules() if isinstance(module, LoRALinear)
    )
    config = decoder.config
    return Shapes(
        tuple(matrices), adapter, config.layers * config.heads * config.head_width, config.width, config.vocab
    )


def step_flops(shapes: Shapes, passes: Sequence[Forest], *, full: bool) -> dict[str, float]:
    """Operations of one update, by part: forward, gradient of the activations, gradient of the weights that train."""
    tokens = sum(forest.tokens for forest in passes)
    learnt = sum(len(forest.target_at_N) for forest in passes)
    pairs = sum(int(forest.position_T.sum()) + forest.tokens for forest in passes)  # (query, key) that is read
    weights = sum(inputs * outputs for inputs, outputs in shapes.matrices)
    times = 3 if full else 2
    return {
        "matrices": 2.0 * times * weights * tokens,
        "adapter": 2.0 * 3 * shapes.adapter * tokens,
        "attention": 2.0 * 2 * 3 * shapes.heads_times_width * pairs,
        "output layer": 2.0 * times * shapes.width * shapes.vocab * learnt,
    }
