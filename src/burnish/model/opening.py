"""What stands before everything that a model reads: places without a word, whose contents were learnt.

They are tokens with ids below zero, which no tokenizer makes, so forests, caches and shared beginnings treat them as
any others. `Decoder.hidden` puts every forest under them, the engine every prompt.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from burnish.model.attention import Attend


@runtime_checkable
class Opening(Protocol):
    """`places`: how many. With `on` False nobody puts them before anything, and the model is the base."""

    places: int
    on: bool

    def __call__(self, tokens_T: Tensor, x_T_D: Tensor, attend: Attend) -> tuple[Tensor, Attend]:
        """What goes into the first layer, and the attention of all layers: changed where `tokens_T` is below zero."""
        ...


def opening_ids(opening: Opening | None) -> tuple[int, ...]:
    """-P … -1, the ids of the places in order; none where there is no opening or it is off."""
    return tuple(range(-opening.places, 0)) if opening is not None and opening.on else ()
