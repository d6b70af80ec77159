"""Every code of this part with its plain meaning."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {"review_drop": "a person marked the row `drop` in the review table"}
