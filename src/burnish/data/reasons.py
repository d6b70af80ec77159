"""Why a row may be left out, changed or flagged: every code with its plain meaning."""

from __future__ import annotations

from collections.abc import Mapping

from burnish.data.cleaning.reasons import REASONS as CLEANING
from burnish.data.duplicates.reasons import REASONS as DUPLICATES
from burnish.data.layout.reasons import REASONS as LAYOUT
from burnish.data.mix.reasons import REASONS as MIX
from burnish.data.private.reasons import REASONS as PRIVATE
from burnish.data.read.reasons import REASONS as READ
from burnish.data.review.reasons import REASONS as REVIEW

REASONS: Mapping[str, str] = {
    **READ,
    **LAYOUT,
    **CLEANING,
    **PRIVATE,
    **DUPLICATES,
    **MIX,
    **REVIEW,
    "overlaps_dev": "the row gives away a row of dev",
    "benchmark_item": "the row holds an item of a benchmark that the recipe names",
    "not_renderable": "the model's chat template refuses the row, or leaves no token of it to learn",
    "not_sampled": "left out by the sample that `rows` or `test_rows` asked for",
}
