"""What the steps of cleaning and of private data find in rows, as (index, reason)."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.core.records import Row
from burnish.data.cleaning.features import feature_of, table
from burnish.data.cleaning.judge import judge
from burnish.data.cleaning.rows import clean_row
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.group import prompt_keys
from burnish.data.private.rows import protect
from burnish.data.private.settings import PrivateSettings


def found_in(rows: Sequence[Row]) -> set[tuple[int, str]]:
    """Every repair and doubt, with the settings that a user has who sets nothing. No row of these sets is dropped."""
    settings, private = CleanSettings(), PrivateSettings()
    cleaned = [protect(clean_row(row, settings), private) for row in rows]
    kept = [one.row for one in cleaned if one.row is not None]
    assert len(kept) == len(rows)
    features = table(feature_of(row, prompt_keys(row)[-1], settings) for row in kept)
    found = {(index, change.reason) for index, one in enumerate(cleaned) for change in one.changed}
    found |= {(index, flag.reason) for index, one in enumerate(cleaned) for flag in one.flagged}
    return found | {(verdict.index, verdict.reason) for verdict in judge(features, settings, kept.__getitem__).verdicts}
