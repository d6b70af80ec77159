"""DoRA: direction and length of a matrix's rows learn apart (arXiv 2402.09353).

y = m / ‖W + s B A‖ · (W + s B A) x, the norm over each output's row. As in the paper (section 4.3) and in peft the norm
is taken for a constant in the gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor


def row_norms(weight: Tensor) -> Tensor:
    """(out,) the length of each output's row of (out, in)."""
    norms: Tensor = torch.linalg.vector_norm(weight.detach(), dim=1)
    return norms


def rescaled(product: Tensor, bias: Tensor | None, magnitude: Tensor, norms: Tensor) -> Tensor:
    """(T, out): a product (W + s B A) x + bias with its rows brought to their lengths. The bias stays as it is."""
    factor = (magnitude / norms).to(product.dtype)
    if bias is None:
        return product * factor
    narrow = bias.to(product.dtype)
    return (product - narrow) * factor + narrow
