"""Reading one field of a raw row. A path such as `answers.text.0` leads into objects and lists."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from burnish.data.layout.reasons import Unusable


def find(value: Mapping[str, Any], path: str) -> Any:
    """What stands under a key, or else at the end of a path of keys and of places in lists; None where nothing does."""
    found = value.get(path)
    if found is not None or "." not in path:
        return found
    found = value
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def root(path: str, keys: Sequence[str]) -> str:
    """The key that a path begins at; "" when it is none of `keys`."""
    return next((key for key in (path, path.partition(".")[0]) if key in keys), "")


def field(value: Mapping[str, Any], path: str) -> Any:
    """What stands at a path. Raises Unusable: nothing does."""
    found = find(value, path)
    if found is None:
        raise Unusable("missing_field", f"{path!r} is absent or null")
    return found


def as_text(found: Any, where: str) -> str:
    """A string as it is; a number or truth value as JSON writes it; an object or list as JSON."""
    if isinstance(found, str):
        return found
    if isinstance(found, float) and not math.isfinite(found):
        raise Unusable("missing_field", f"{where!r} is {found}")
    return json.dumps(found, ensure_ascii=False, default=str)


def text_of(value: Mapping[str, Any], path: str) -> str:
    """The field as `as_text` writes it."""
    return as_text(field(value, path), path)


def optional_text(value: Mapping[str, Any], path: str) -> str:
    """`text_of`, or nothing where the field is absent or not asked for."""
    found = find(value, path) if path else None
    return as_text(found, path) if found is not None else ""


def named(found: Any, labels: Sequence[str]) -> Any:
    """The name of a label that is written as its number, from 0; a name stays as it is.

    Raises Unusable: no name belongs to the number.
    """
    if isinstance(found, str) and not found.strip().lstrip("-").isdecimal():
        return found
    if not isinstance(found, int | str) or not 0 <= int(found) < len(labels):
        raise Unusable("unknown_label", f"{found!r}, where {len(labels)} names are known")
    return labels[int(found)]


def parsed(found: Any) -> Any:
    """The value of a JSON text, which tables hold in place of lists and objects; anything else as it is."""
    if not isinstance(found, str) or found.lstrip()[:1] not in ("[", "{"):
        return found
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        return found


def check_text(text: str, empty: str, where: str) -> None:
    """Raises Unusable, with the reason `empty` for a blank text."""
    if not text.strip():
        raise Unusable(empty, where)
    check_characters(text, where)


def check_characters(text: str, where: str) -> None:
    """Raises Unusable: the text cannot be written as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Unusable("broken_character", f"character {error.start + 1} of {where}") from error
