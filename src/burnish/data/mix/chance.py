"""Chance as a pure function: a number for each row, made of the seed, the purpose and the row's own key alone."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def ranks(key_N: Keys, seed: int, purpose: str) -> Keys:
    """Numbers spread evenly over 0 … 2⁶⁴-1. Sorted by them, the first n rows are a fair sample of n.

    Neither the order nor the presence of other rows has a part in a row's number, and numbers for two seeds or purposes
    have nothing to do with each other. Different keys have different numbers. The mixing is the finaliser of SplitMix64
    (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"), after a XOR with a hash of both.
    """
    salt = hashlib.blake2b(f"{seed}:{purpose}".encode(), digest_size=8).digest()
    mixed_N = key_N ^ np.uint64(int.from_bytes(salt, "little"))
    mixed_N = (mixed_N ^ (mixed_N >> np.uint64(30))) * FIRST
    mixed_N = (mixed_N ^ (mixed_N >> np.uint64(27))) * SECOND
    return mixed_N ^ (mixed_N >> np.uint64(31))
