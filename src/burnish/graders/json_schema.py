"""Is a JSON answer built as it should be: as a schema says, or with the keys that answers have?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from burnish.core.errors import RecipeError
from burnish.graders.json_answer import first_object, grade_json
from burnish.graders.normalise import bare

Meets: TypeAlias = Callable[[dict[str, Any]], bool]


def read_schema(path: Path) -> Meets:
    """Whether an object meets the schema of this file. Raises RecipeError: it is absent or no JSON Schema.

    References (`$ref`) lead to places within the file: nothing is fetched.
    """
    try:
        schema = json.loads(path.read_text("utf-8"))
        kind: type[Validator] = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        kind.check_schema(schema)
    except (OSError, ValueError, RecursionError, AttributeError, TypeError, jsonschema.SchemaError) as error:
        reason = error.message if isinstance(error, jsonschema.SchemaError) else str(error)
        raise RecipeError(
            "This is no JSON Schema that can be used.",
            where=str(path),
            seen=reason.splitlines()[0][:120] if reason else type(error).__name__,
            next_move="correct evaluate.metric.schema_file",
        ) from error
    # An empty registry: without one, jsonschema would fetch addresses that a schema refers to.
    validator = kind(schema, registry=Registry())
    return lambda value: bool(validator.is_valid(value))


def has_keys(keys: Sequence[str]) -> Meets:
    """Whether an object has all of these keys."""
    wanted = frozenset(keys)
    return lambda value: wanted <= value.keys()


def grade_structure(output: str, expected: str, meets: Meets) -> dict[str, float]:
    """The scores of `grade_json`, and `schema`: 1.0 when the answer is an object that `meets` what is asked of it.

    Where the expected answer is no object, that is equality of text. Raises RecipeError: the schema cannot be applied.
    """
    scores, found = grade_json(output, expected), first_object(output)
    if first_object(expected) is None:
        return {**scores, "schema": float(bare(output) == bare(expected))}
    try:
        return {**scores, "schema": float(found is not None and meets(found))}
    except (Unresolvable, RecursionError) as error:
        raise RecipeError(
            "The schema points to something that is not in it.",
            where="evaluate.metric.schema_file",
            seen=str(error).splitlines()[0][:120],
            next_move="put every definition into the one file",
        ) from error
