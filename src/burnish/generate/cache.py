"""Where keys and values are kept: one slot a sequence at work, one store a shared run.

Names: Y layers, S slots, K key-value heads, U capacity in tokens, d width of a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from burnish.model.decoder import Decoder

ROUND = 32  # capacities are multiples of this many tokens


@dataclass(frozen=True)
class Store:
    """Keys and values of a run of tokens, already turned to their positions: (Y, K, U, d) each."""

    keys: Tensor
    values: Tensor

    def part(self, tokens: slice) -> Store:
        """Those of some of the tokens: the same memory."""
        return Store(self.keys[:, :, tokens], self.values[:, :, tokens])

    def copy(self) -> Store:
        """The same in memory of its own."""
        return Store(self.keys.clone(), self.values.clone())

    def put(self, other: Store) -> None:
        """Copies another's keys and values to the beginning of these."""
        tokens = other.keys.shape[2]
        self.keys[:, :, :tokens] = other.keys
        self.values[:, :, :tokens] = other.values


@dataclass(frozen=True, eq=False)
class Run:
    """Tokens in a row, computed in one pass. `start` is the position of the first, `above` the runs before, root first.

    Without a store its keys and values live for this one pass and its own tokens only.
    """

    tokens: Sequence[int]
    start: int = 0
    above: tuple[Run, ...] = ()
    store: Store | None = None
    adapter: str = ""

    @property
    def stop(self) -> int:
        return self.start + len(self.tokens)


def new_store(decoder: Decoder, tokens: int) -> Store:
    """An empty store for that many tokens."""
    config = decoder.config
    shape = (config.layers, config.key_value_heads, tokens, config.head_width)
    return Store(*(torch.zeros(shape, dtype=decoder.compute, device=decoder.device) for _ in range(2)))


class Slots:
    """Keys and values of sequences that grow by a token a pass: (Y, S, K, U, d) each, U little more than the longest
    one holds: all of it is multiplied, since products over a part of each slot would copy that part first.

    Zeros rather than whatever memory holds: what is masked is still multiplied, by 0, and NaN would show through.
    """

    def __init__(self, decoder: Decoder) -> None:
        config = decoder.config
        shape = (config.layers, 0, config.key_value_heads, 0, config.head_width)
        self.keys = torch.zeros(shape, dtype=decoder.compute, device=decoder.device)
        self.values = torch.zeros_like(self.keys)

    @property
    def size(self) -> tuple[int, int]:
        """Slots, and the tokens that each holds."""
        return self.keys.shape[1], self.keys.shape[3]

    def fit(self, slots: int, tokens: int, used: int) -> None:
        """Makes room for so many sequences, of which the longest holds `tokens`. The first `used` slots keep what they
        hold. Slots much longer than that are made shorter."""
        have, capacity = self.size
        if slots <= have and tokens <= capacity <= 2 * tokens + 4 * ROUND:
            return
        if not tokens <= capacity <= 2 * tokens + 4 * ROUND:
            capacity = -(-(tokens + tokens // 8 + 1) // ROUND) * ROUND
        shape = (self.keys.shape[0], max(slots, have), self.keys.shape[2], capacity, self.keys.shape[4])
        keys, values = self.keys.new_zeros(shape), self.values.new_zeros(shape)
        used, kept = min(used, have), min(capacity, self.size[1])
        keys[:, :used, :, :kept] = self.keys[:, :used, :, :kept]
        values[:, :used, :, :kept] = self.values[:, :used, :, :kept]
        self.keys, self.values = keys, values

    def clear(self) -> None:
        """Lets go of the memory: nothing is at work."""
        self.keys, self.values = (x[:, :0, :, :0].clone() for x in (self.keys, self.values))

    def store(self, slot: int) -> Store:
        """One slot as a place for a run: good until `fit`."""
        return Store(self.keys[:, slot], self.values[:, slot])

    def move(self, source: int, target: int, tokens: int) -> None:
        """Copies a sequence of that many tokens into another slot."""
        self.store(target).put(self.store(source).part(slice(tokens)))
