"""The unit of computation: a forest of token segments instead of a padded rectangle.

A token attends to its own segment up to itself and to all of its ancestors' tokens. Packing is a forest of roots; a
prompt with several answers is one root with several children, and the prompt is computed once. What is to be predicted
is a list of targets (where to read, which id, with what weight, for whose row), because the last token of a shared
prompt predicts the first token of every child.

Names: T tokens, S segments, N targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Segment:
    """A run of tokens. `parent` is the index of an earlier segment, -1 for a root.

    `weights` has one number a token: how much its prediction counts, 0 for what is only read.
    """

    tokens: Sequence[int]
    weights: Sequence[float]
    parent: int = -1
    row: int = 0
    adapter: int = 0


@dataclass(frozen=True)
class Forest:
    """Segments laid end to end, with their targets. Position restarts at 0 at every root."""

    tokens_T: Tensor
    position_T: Tensor
    segment_T: Tensor
    parent_S: Tensor
    adapter_S: Tensor
    causal_S: Tensor
    target_at_N: Tensor
    target_id_N: Tensor
    target_weight_N: Tensor
    target_row_N: Tensor
    start_S: tuple[int, ...]
    length_S: tuple[int, ...]
    parents: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """How many tokens are computed."""
        return len(self.tokens_T)

    @property
    def row_tokens(self) -> int:
        """How many tokens separate rows would hold: each leaf with all that stands above it."""
        leaves = set(range(len(self.parents))) - set(self.parents)
        return sum(self.length_S[part] for leaf in leaves for part in (*self.ancestors(leaf), leaf))

    def to(self, device: torch.device) -> Forest:
        """The same forest on another device."""
        return replace(
            self,
            tokens_T=self.tokens_T.to(device),
            position_T=self.position_T.to(device),
            segment_T=self.segment_T.to(device),
            parent_S=self.parent_S.to(device),
            adapter_S=self.adapter_S.to(device),
            causal_S=self.causal_S.to(device),
            target_at_N=self.target_at_N.to(device),
            target_id_N=self.target_id_N.to(device),
            target_weight_N=self.target_weight_N.to(device),
            target_row_N=self.target_row_N.to(device),
        )

    def lengthened(self, tokens: int) -> Forest:
        """The same forest with a last segment that nobody reads or learns, up to so many tokens."""
        if not (missing := tokens - self.tokens):
            return self
        device = self.tokens_T.device

        def longer(tensor: Tensor, more: Tensor) -> Tensor:
            return torch.cat([tensor, more.to(device, tensor.dtype)])

        return replace(
            self,
            tokens_T=longer(self.tokens_T, torch.zeros(missing)),
            position_T=longer(self.position_T, torch.arange(missing)),
            segment_T=longer(self.segment_T, torch.full((missing,), len(self.parents))),
            parent_S=longer(self.parent_S, torch.tensor([-1])),
            adapter_S=longer(self.adapter_S, torch.tensor([0])),
            causal_S=longer(self.causal_S, torch.tensor([True])),
            start_S=(*self.start_S, self.tokens),
            length_S=(*self.length_S, missing),
            parents=(*self.parents, -1),
        )

    def under(self, tokens: Sequence[int]) -> Forest:
        """The same forest as one tree: every root becomes a child of a first segment with these tokens. Targets still
        name the places of the forest as it was."""
        if not (more := len(tokens)):
            return self
        device = self.tokens_T.device

        def after(first: Tensor, tensor: Tensor) -> Tensor:
            return torch.cat([first.to(device, tensor.dtype), tensor])

        return replace(
            self,
            tokens_T=after(torch.tensor(tokens), self.tokens_T),
            position_T=after(torch.arange(more), self.position_T + more),
            segment_T=after(torch.zeros(more), self.segment_T + 1),
            parent_S=after(torch.tensor([-1]), self.parent_S + 1),
            adapter_S=after(torch.tensor([0]), self.adapter_S),
            causal_S=after(torch.tensor([True]), self.causal_S),
            start_S=(0, *(start + more for start in self.start_S)),
            length_S=(more, *self.length_S),
            parents=(-1, *(parent + 1 for parent in self.parents)),
        )

    def ancestors(self, segment: int) -> list[int]:
        """The segments above one, from the root down."""
        path: list[int] = []
        while (segment := self.parents[segment]) >= 0:
            path.append(segment)
        return path[::-1]


def plant(segments: Sequence[Segment]) -> Forest:
    """Lays segments out as a forest. A parent must stand before its children.

    The first token of a root has nothing before it and can't be a target; its weight is not read.
    """
    starts: list[int] = []
    first_positions: list[int] = []
    targets: list[tuple[int, int, float, int]] = []
    total = 0
    for index, segment in enumerate(segments):
        if not segment.tokens:
            raise ValueError(f"segment {index} is empty")
        if segment.parent >= index:
            raise ValueError(f"segment {index} stands before its parent {segment.parent}")
        parent = segments[segment.parent] if segment.parent >= 0 else None
        starts.append(total)
        first_positions.append(first_positions[segment.parent] + len(parent.tokens) if parent else 0)
        before_first = starts[segment.parent] + len(parent.tokens) - 1 if parent else -1
        for offset, (token, weight) in enumerate(zip(segment.tokens, segment.weights, strict=True)):
            at = total + offset - 1 if offset else before_first
            if weight and at >= 0:
                targets.append((at, token, weight, segment.row))
        total += len(segment.tokens)
    lengths = [len(segment.tokens) for segment in segments]
    at_N, id_N, weight_N, row_N = zip(*targets, strict=True) if targets else ((), (), (), ())
    return Forest(
        tokens_T=torch.tensor([token for segment in segments for token in segment.tokens], dtype=torch.long),
        position_T=torch.cat([torch.arange(p, p + n) for p, n in zip(first_positions, lengths, strict=True)]),
        segment_T=torch.repeat_interleave(torch.arange(len(segments)), torch.tensor(lengths)),
        parent_S=torch.tensor([segment.parent for segment in segments]),
        adapter_S=torch.tensor([segment.adapter for segment in segments]),
        causal_S=torch.ones(len(segments), dtype=torch.bool),
        target_at_N=torch.tensor(at_N, dtype=torch.long),
        target_id_N=torch.tensor(id_N, dtype=torch.long),
        target_weight_N=torch.tensor(weight_N, dtype=torch.float32),
        target_row_N=torch.tensor(row_N, dtype=torch.long),
        start_S=tuple(starts),
        length_S=tuple(lengths),
        parents=tuple(segment.parent for segment in segments),
    )
