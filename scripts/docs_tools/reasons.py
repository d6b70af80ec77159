"""Why rows are left out: every code that dropped.jsonl may hold."""

from __future__ import annotations

from burnish.data.reasons import REASONS
from docs_tools.markdown import code, page, table


def reasons_page() -> str:
    """The page of reasons."""
    return page(
        "Why a row is left out",
        "`prepare` writes every row that it does not use to `data/dropped.jsonl`, with its place (`file:line`), one of "
        "these reasons and a detail. Rows in = train + dev + test + dropped, always.",
        table(["reason", "meaning"], [(code(name), meaning) for name, meaning in REASONS.items()]),
    )
