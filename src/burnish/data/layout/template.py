"""Small templates: {column}, {path.in.a.column} and {function(column, …)} are replaced, and nothing else.

A lookup, never str.format, which would reach into attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from burnish.data.layout.fields import as_text, field
from burnish.data.layout.options import chosen_text
from burnish.data.layout.reasons import Unusable
from burnish.data.layout.tags import entities

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
BRACES = {"{{": "{", "}}": "}"}


def words(tokens: Any) -> str:
    """A list of words as one line."""
    if not isinstance(tokens, list):
        raise Unusable("missing_field", f"words() wants a list, not a {type(tokens).__name__}")
    return " ".join(map(str, tokens))


# name: what it does with the values of so many columns, and the names of numbered labels
FUNCTIONS: Mapping[str, tuple[int, Callable[..., str]]] = {
    "words": (1, lambda tokens, labels: words(tokens)),
    "entities": (2, entities),
    "choice": (2, lambda choices, right, labels: chosen_text(choices, right)),
}


def fill(template: str, value: Mapping[str, Any], labels: Sequence[str] = ()) -> str:
    """The text of a template for one row. Raises Unusable: a column is absent or does not suit its function."""

    def text(match: re.Match[str]) -> str:
        if match[0] in BRACES:
            return BRACES[match[0]]
        function, columns = _call(match[1])
        found = [field(value, column) for column in columns]
        return FUNCTIONS[function][1](*found, labels) if function else as_text(found[0], match[1])

    return PLACEHOLDER.sub(text, template)


def template_keys(template: str) -> tuple[str, ...]:
    """The columns that a template names."""
    inside = (match[1] for match in PLACEHOLDER.finditer(template) if match[1] is not None)
    return tuple(column for text in inside for column in _call(text)[1])


def _call(text: str) -> tuple[str, list[str]]:
    """The function of a placeholder, "" when it has none, and its columns."""
    match = CALL.fullmatch(text) if text.endswith(")") else None
    if match and match[1] in FUNCTIONS:
        columns = [column.strip() for column in match[2].split(",")]
        if len(columns) == FUNCTIONS[match[1]][0]:
            return match[1], columns
    return "", [text]
