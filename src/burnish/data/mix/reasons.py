"""What shaping does to rows: every code with its plain meaning."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "too_long": "the row is longer than the model's context",
    "split_on_turns": "a conversation longer than the context became several, each answer in one of them",
    "split_on_paragraphs": "a text longer than the context became several",
    "turns_left_out": "the oldest turns were left out so that the row fits the context",
    "context_cut": "the middle of the longest text before the answer was left out so that the row fits the context",
    "mixed_out": "left out because its source has a weight below 1",
}
