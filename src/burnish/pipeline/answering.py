"""Networks that only answer from now on."""

from __future__ import annotations

from burnish.adapt import methods
from burnish.model.arranged import arrange
from burnish.model.decoder import Decoder


def ready(decoder: Decoder) -> Decoder:
    """The same decoder for generation and scoring alone: it neither trains nor merges after this, so what is the
    same in every pass is made once, and its weights lie as the processor reads them."""
    methods.settle(decoder)
    return arrange(decoder)
