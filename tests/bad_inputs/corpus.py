"""All cases, by family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bad_inputs import json_rows, places, tables, talks, texts
from tests.bad_inputs.case import Case

FAMILIES: Mapping[str, Sequence[Case]] = {
    "bytes": texts.CASES,
    "JSON": json_rows.CASES,
    "turns": talks.CASES,
    "tables": tables.CASES,
    "places": places.CASES,
}
CASES: tuple[Case, ...] = tuple(case for family in FAMILIES.values() for case in family)
