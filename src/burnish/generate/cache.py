"""Where keys and values are kept: one slot a sequence at work, one store a shared run.

Names: Y layers, S slots, K key-value heads, U capacity in tokens, d width of a head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from burnish.model.decoder import Decoder
from burnish.model.prefixes import Prefixes


@dataclass(frozen=True)
class Store:
    """Keys and values of a run of tokens, already turned to their positions: (Y, K, U, d) each."""

    keys: Tensor
    values: Tensor


@dataclass(frozen=True, eq=False)
class Run:
    """Tokens in a row, computed in one pass. `start` is the position of the first, `above` the runs before, root first.

    Without a store its keys and values live for this one pass and its own tokens only.
    """

    tokens: Sequence[int]
    start: int = 0
    above: tuple[Run, ...] = ()
    store: Store | None = None


def new_store(decoder: Decoder, tokens: int) -> Store:
    """An empty store for that many tokens."""
    config = decoder.config
    shape = (config.layers, config.key_value_heads, tokens, config.head_width)
    return Store(*(torch.zeros(shape, dtype=decoder.compute, device=decoder.device) for _ in range(2)))


def open_shared(decoder: Decoder, prefixes: Prefixes, index: int, shared: Mapping[int, Run]) -> Run:
    """A shared run with an empty store. Its parent must be in `shared`."""
    found = prefixes.runs[index]
    parent = shared[found.parent] if found.parent >= 0 else None
    above = (*parent.above, parent) if parent else ()
    return Run(found.tokens, found.start, above, new_store(decoder, len(found.tokens)))


class Slots:
    """Keys and values of sequences that grow by a token a pass: (Y, S, K, U, d) each, U the longest one's need.

    Zeros rather than whatever memory holds: what is masked is still multiplied, by 0, and NaN would show through.
    """

    def __init__(self, decoder: Decoder, slots: int) -> None:
        config = decoder.config
        shape = (config.layers, slots, config.key_value_heads, 0, config.head_width)
        self.keys = torch.zeros(shape, dtype=decoder.compute, device=decoder.device)
        self.values = torch.zeros_like(self.keys)

    def grow(self, capacity: int) -> None:
        """Makes room for sequences of `capacity` own tokens."""
        have = self.keys.shape[3]
        if capacity <= have:
            return
        shape = (*self.keys.shape[:3], capacity, self.keys.shape[4])
        keys, values = self.keys.new_zeros(shape), self.values.new_zeros(shape)
        keys[:, :, :, :have], values[:, :, :, :have] = self.keys, self.values
        self.keys, self.values = keys, values

    def store(self, slot: int) -> Store:
        """One slot as a place for a run: good until the slots grow."""
        return Store(self.keys[:, slot], self.values[:, slot])

    def move(self, source: int, target: int, tokens: int) -> None:
        """Copies a sequence of that many tokens into another slot."""
        self.keys[:, target, :, :tokens] = self.keys[:, source, :, :tokens]
        self.values[:, target, :, :tokens] = self.values[:, source, :, :tokens]
