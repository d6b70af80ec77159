"""All cases, by family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bad_inputs import (
    adapters,
    archives,
    escapes,
    ggufs,
    injections,
    jinja,
    json_rows,
    pickles,
    places,
    recipes,
    remote_code,
    requests,
    tables,
    talks,
    texts,
    tokenizers,
    weights,
)
from tests.bad_inputs.case import Case

FAMILIES: Mapping[str, Sequence[Case]] = {
    "bytes": texts.CASES,
    "JSON": json_rows.CASES,
    "turns": talks.CASES,
    "tables": tables.CASES,
    "places": places.CASES,
    "pickle": pickles.CASES,
    "remote code": remote_code.CASES,
    "jinja": jinja.CASES,
    "gguf": ggufs.CASES,
    "safetensors": weights.CASES,
    "tokenizer": tokenizers.CASES,
    "adapter": adapters.CASES,
    "recipe": recipes.CASES,
    "paths": escapes.CASES,
    "archives": archives.CASES,
    "injection": injections.CASES,
    "HTTP": requests.CASES,
}
CASES: tuple[Case, ...] = tuple(case for family in FAMILIES.values() for case in family)
