"""Frozen layers whose weights are arranged once as the processor's matrix products read them.

oneDNN multiplies 16-bit weights in blocks of its own. Kept as rows, they are put into these blocks at every product: of
a few tokens that is most of the work. The products have the same bits either way.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from burnish.model.decoder import Decoder, Linear

ROWS = 16  # of a product, which the blocks suit best; any other number works


class ArrangedLinear(nn.Module):
    """x Wᵀ + b. W is there once, in blocks."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.blocks = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), ROWS)
        self.bias = None if bias is None else bias.detach()

    def dense(self, dtype: torch.dtype) -> Tensor:
        """(out, in): made anew at each call."""
        weight: Tensor = self.blocks.to_dense()
        return weight.to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.blocks, self.bias, "none", [], "")
        return product


def arrange(decoder: Decoder) -> Decoder:
    """The same decoder with its dense products arranged, where that gains anything: on a processor, in 16 bits. For one
    that stays as it is: gradients need the weights as rows, and of tied tables the output layer is a copy."""
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if decoder.device.type != "cpu" or decoder.compute != torch.bfloat16 or not there:
        return decoder
    for name, layer in list(decoder.model.named_modules(prefix="model")):
        wrapped = name.endswith(".base_layer")  # by peft, which looks at the weights of what it wraps
        if type(layer) is Linear and layer.weight.dtype == decoder.compute and not wrapped:
            decoder.set_submodule(name, ArrangedLinear(layer.weight, layer.bias))
    head = decoder.head
    if isinstance(head, Tensor) and head.dtype == decoder.compute:
        decoder.speak = ArrangedLinear(head, None)
    return decoder
