"""The first thing that is wrong with a request, in the words and with the codes that OpenAI's clients know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from burnish.core.settings import written_path
from burnish.server.api_error import ApiError

TYPES: Mapping[str, str] = {
    "int_type": "an integer", "float_type": "a decimal number", "string_type": "a string", "dict_type": "an object",
    "list_type": "an array of objects", "model_type": "an object", "model_attributes_type": "an object",
    "bool_type": "a boolean", "int_from_float": "an integer",
}  # fmt: skip
NAMES: Mapping[type, str] = {
    bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", dict: "an object", list: "an array",
    type(None): "null",
}  # fmt: skip
BOUNDS: Mapping[str, tuple[str, str, str]] = {
    "greater_than_equal": ("ge", "below_min_value", ">="), "greater_than": ("gt", "below_min_value", ">"),
    "less_than_equal": ("le", "above_max_value", "<="), "less_than": ("lt", "above_max_value", "<"),
}  # fmt: skip


def refusal(error: ValidationError, body: Any) -> ApiError:
    """400 with the parameter's path as `param`."""
    found = _most_telling(error.errors())
    kind, value, context = found["type"], found["input"], found.get("ctx", {})
    path = [str(part) for part in written_path(found["loc"], body)]
    if kind == "missing":
        path = [*path, str(found["loc"][-1])]
    name = ".".join(path)

    def refused(message: str, code: str) -> ApiError:
        return ApiError(400, message, param=name or None, code=code)

    if kind == "missing":
        return refused(f"Missing required parameter: '{name}'.", "missing_required_parameter")
    if kind == "extra_forbidden":
        return refused(f"Unknown parameter: '{name}'.", "unknown_parameter")
    if kind == "literal_error":
        also = " and numbers" if len(error.errors()) > 1 else ""
        supported = f"Supported values are: {context['expected']}{also}."
        return refused(f"Invalid value: {shown(value)}. {supported}", "invalid_value")
    if kind in TYPES:
        other = NAMES.get(type(value), "another type")
        return refused(f"Invalid type for '{name}': expected {TYPES[kind]}, but got {other} instead.", "invalid_type")
    if kind in BOUNDS:
        key, side, sign = BOUNDS[kind]
        number = "integer" if isinstance(value, int) else "decimal"
        what = f"{number} {'below minimum' if 'below' in side else 'above maximum'} value"
        wanted = f"Expected a value {sign} {context[key]}, but got {shown(value)} instead"
        return refused(f"Invalid '{name}': {what}. {wanted}.", f"{number}_{side}")
    if kind == "string_too_long":
        most = context["max_length"]
        return refused(f"Invalid '{name}': string too long. Expected a string with maximum length {most}, but got a "
                       f"string with length {len(value)} instead.", "string_above_max_length")  # fmt: skip
    if kind == "too_long":
        return refused(f"Invalid '{name}': too many properties. Expected an object with at most "
                       f"{context['max_length']} properties, but got {context['actual_length']} instead.",
                       "object_above_max_properties")  # fmt: skip
    return refused(f"Invalid '{name}': {found['msg'].removeprefix('Value error, ')}.", "invalid_value")


def _most_telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """Of a union such as "auto" or a number, a word is no "auto", a number is out of bounds or a fraction."""
    word = isinstance(errors[0]["input"], str)

    def rank(one: ErrorDetails) -> tuple[bool, bool]:
        return (one["type"] == "literal_error") is not word, one["type"] in TYPES

    return min(errors, key=rank)


def invalid_value(param: str, seen: str, supported: str) -> ApiError:
    """400: a parameter that may be one of a few words is none of them."""
    message = f"Invalid value: {seen[:40]!r}. Supported values are: {supported}."
    return ApiError(400, message, param=param, code="invalid_value")


def shown(value: Any) -> str:
    """A value as an error may repeat it: short."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
