"""Settings are small frozen models beside the code they set. This file holds their base and the strict YAML reader.

A recipe is a closed schema: an unknown, duplicate or out-of-range key is an error that names the key, its line and the
nearest valid key.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from burnish.core.errors import RecipeError


class Settings(BaseModel):
    """Base of all settings: frozen, closed, no silent conversion of NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


class _Loader(yaml.SafeLoader):
    """Plain data only, and `off`, `no`, `on`, `yes` are words, as in YAML 1.2 and as people mean them."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name and the type are PyYAML's
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


DEEPEST = 50  # levels of a recipe; the reference of settings has six
PLAIN_YAML = "write `key: value` lines, as in the recipes that come with Burnish"
SomeSettings = TypeVar("SomeSettings", bound=Settings)
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML mapping together with the line (from 1) on which each of its keys stands."""

    values: dict[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    name: str = "command line"

    def where(self, path: KeyPath) -> str:
        """ "recipe.yaml:7" for the key at `path`, or for its nearest parent that has a line."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        return self.name


def _pairs(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, yaml.Node, yaml.Node]]:
    """All keys below a node, with their paths, before YAML folds duplicates away."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key, value
            yield from _pairs(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _pairs(value, (*path, index))


def read_yaml(path: Path) -> Document:
    """Reads a recipe.

    Raises RecipeError: the file is absent, not UTF-8, not YAML, not a mapping, holds a key twice, an alias or a tag.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise RecipeError("There is no such recipe.", where=str(path), next_move="check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            "The recipe cannot be read.", where=str(path), seen=str(error), next_move="name a text file"
        ) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Document:
    """`read_yaml` for a text at hand; `name` stands in errors."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = event.start_mark.line + 1 if event.start_mark else 0
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:  # asked here, while the text is read: PyYAML takes long for deep ones
                raise RecipeError("The recipe is nested too deeply.", where=f"{name}:{line}", next_move=PLAIN_YAML)
            if isinstance(event, yaml.AliasEvent):
                raise RecipeError(
                    "A recipe may not use YAML aliases.", where=f"{name}:{line}", next_move="write the value out"
                )
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
                raise RecipeError(
                    "The recipe is not valid YAML.",
                    where=f"{name}:{line}",
                    seen=f"the tag {event.tag}",
                    next_move="leave the tag out: a recipe holds plain values",
                )
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise RecipeError("The recipe is empty.", where=name, next_move="write at least `model:` and `data:`")
        lines: dict[KeyPath, int] = {}
        for key_path, key, _ in _pairs(node, ()):
            line = key.start_mark.line + 1
            if key_path in lines:
                raise RecipeError(
                    f"The key `{key_path[-1]}` stands twice.",
                    where=f"{name}:{line}",
                    seen=f"first on line {lines[key_path]}",
                    next_move="keep one of them",
                )
            lines[key_path] = line
        values = loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise RecipeError(
            "The recipe is not valid YAML.", where=where, seen=str(error).splitlines()[0], next_move=PLAIN_YAML
        ) from error
    except RecipeError:
        raise
    except ValueError as error:  # a number of thousands of digits, a date that is none
        raise RecipeError(
            "A value of the recipe is out of range.", where=name, seen=str(error)[:80], next_move=PLAIN_YAML
        ) from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise RecipeError(
            "A recipe is a mapping of keys to values.", where=name, seen=str(values)[:60], next_move=PLAIN_YAML
        )
    return Document(values, lines, name)


def _settings_in(annotation: Any) -> Iterator[type[Settings]]:
    """All Settings classes named in a type such as `A | B | None` or `Annotated[A | B, …]`."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    elif typing.get_origin(annotation) is typing.Annotated:
        yield from _settings_in(typing.get_args(annotation)[0])
    elif isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        for argument in typing.get_args(annotation):
            yield from _settings_in(argument)


def valid_keys(schema: type[Settings], location: KeyPath) -> list[str]:
    """The keys that may stand beside the last one of a pydantic location, which holds the tags of unions too."""
    schemas = [schema]
    for part in location[:-1]:
        inner = [
            found
            for one in schemas
            if part in one.model_fields
            for found in _settings_in(one.model_fields[str(part)].annotation)
        ]
        tagged = [one for one in schemas if "type" in one.model_fields and one.model_fields["type"].default == part]
        schemas = inner or tagged or schemas
    return sorted({key for one in schemas for key in one.model_fields})


def written_path(location: KeyPath, values: Any) -> KeyPath:
    """The part of a pydantic location that stands in the document: the keys without the tags of unions."""
    path: KeyPath = ()
    for part in location:
        in_mapping = isinstance(values, dict) and part in values
        in_list = isinstance(values, list) and isinstance(part, int) and part < len(values)
        if in_mapping or in_list:
            path, values = (*path, part), values[part]
    return path


def build(schema: type[SomeSettings], document: Document) -> SomeSettings:
    """Checks a document against a schema.

    Raises RecipeError with the key, its line, the value seen and the nearest valid key.
    """
    try:
        return schema.model_validate(document.values)
    except ValidationError as error:
        raise _explain(error, schema, document) from error


def _explain(error: ValidationError, schema: type[Settings], document: Document) -> RecipeError:
    # A mistyped key is told before the key that is missing because of it.
    first = next((one for one in error.errors() if one["type"] == "extra_forbidden"), error.errors()[0])
    path = written_path(first["loc"], document.values)
    if first["type"] == "extra_forbidden":
        keys = valid_keys(schema, first["loc"])
        near = difflib.get_close_matches(str(path[-1]), keys, n=1, cutoff=0.5)
        return RecipeError(
            f"Unknown key `{_dotted(path)}`.",
            where=document.where(path),
            seen=repr(first["input"])[:80],
            next_move=f"did you mean `{near[0]}`?" if near else f"valid keys here: {', '.join(keys)}",
        )
    if first["type"] == "missing":
        wanted = _dotted((*path, first["loc"][-1]))
        return RecipeError(f"`{wanted}` is missing.", where=document.where(path), next_move=f"add `{wanted}: …`")
    # A value that fits no member of a union fails once for each of them.
    here = [one["msg"] for one in error.errors() if written_path(one["loc"], document.values) == path]
    reasons = dict.fromkeys(reason.removeprefix("Value error, ").rstrip(".") for reason in here)
    return RecipeError(
        f"`{_dotted(path) or 'recipe'}` is wrong: {'; or '.join(reasons)}.",
        where=document.where(path),
        seen="" if first["type"] == "value_error" and isinstance(first["input"], dict) else repr(first["input"])[:80],
        next_move=f"see the reference of recipes for `{_dotted(path)}`" if path else "",
    )


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)
