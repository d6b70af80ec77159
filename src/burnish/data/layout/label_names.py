"""What a file of the Hub says that its numbered labels are called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def label_names(metadata: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Column → names in the order of their numbers, from the metadata that `datasets` writes into Parquet and Arrow
    files under the key "huggingface". Empty where there is none, or none that can be read."""
    try:
        features = json.loads(metadata["huggingface"])["info"]["features"]
        found = {column: _names(feature) for column, feature in features.items()}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
    return {column: names for column, names in found.items() if names}


def _names(feature: Any) -> tuple[str, ...]:
    """The names of a ClassLabel, or of a list of them."""
    if isinstance(feature, list) and len(feature) == 1:
        return _names(feature[0])
    if not isinstance(feature, Mapping):
        return ()
    if feature.get("_type") == "ClassLabel" and isinstance(feature.get("names"), list):
        return tuple(map(str, feature["names"]))
    return _names(feature.get("feature"))
