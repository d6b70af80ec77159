"""Why a row is left out or reported for saying what another says: every code with its plain meaning."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "exact_duplicate": "the same row stands earlier in the data",
    "near_duplicate": "the row differs from an earlier one in a few words",
    "near_in_blocks": "so many rows that near ones were looked for in blocks of rows that look alike",
    "leak_exact": "the row is also in the test",
    "leak_same_prompt": "the row teaches the answer to a prompt of the test",
    "leak_near": "the row differs from a test row in a few words",
    "leak_contained": "the row holds most of a test row, word for word",
    "leak_few_words": "the row is short and differs from a test row in up to three words",
    "leak_near_prompt": "the row asks nearly what a test row asks, but answers otherwise or names another number",
    "leak_meaning": "the row means what a test row means, as an embedding model sees it",
}
