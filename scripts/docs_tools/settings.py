"""The reference of recipes, from the pydantic models: every setting with type, default, range and meaning."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import yaml
from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from burnish.core.settings import Settings
from burnish.recipe.recipe import SHORT_FORMS, Recipe
from docs_tools.markdown import code, page, table

NAMES: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}


@dataclass(frozen=True)
class Setting:
    """One leaf of the schema."""

    key: str
    type: str
    default: str
    range: str
    description: str


@dataclass(frozen=True)
class Group:
    """The settings of one schema; of a group with several types there is one for each."""

    key: str
    schema: type[Settings]
    settings: tuple[Setting, ...]
    one_of_several: bool = False

    @property
    def tag(self) -> str:
        """What tells this schema from the others of its key; empty where there is only one."""
        fields = self.schema.model_fields
        if "type" in fields:
            return f"type: {fields['type'].default}"
        return next(name for name, field in fields.items() if field.is_required()) if self.one_of_several else ""


def schemas_in(annotation: Any) -> list[type[Settings]]:
    """The schemas that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in schemas_in(part)]


def takes_plain(annotation: Any) -> bool:
    """Whether a field may hold words or numbers, too."""
    if isinstance(annotation, type):
        return annotation in (str, int, float, bool)
    return typing.get_origin(annotation) is Literal or any(map(takes_plain, typing.get_args(annotation)))


def groups() -> Iterator[Group]:
    """The recipe's own settings first, then each group in the order of the schema."""
    own = {name: field for name, field in Recipe.model_fields.items() if not schemas_in(field.annotation)}
    yield Group("", Recipe, tuple(_setting(Recipe, name, field, "") for name, field in own.items()))
    for name, field in Recipe.model_fields.items():
        for schema in schemas_in(field.annotation):
            yield from _groups_of(name, schema)


def _groups_of(name: str, schema: type[Settings], one_of_several: bool = False) -> Iterator[Group]:
    """The settings of one schema, then those of the schemas inside it."""
    leaves = {key: leaf for key, leaf in schema.model_fields.items() if key != "type"}
    inner = {key: found for key, leaf in leaves.items() if (found := schemas_in(leaf.annotation))}
    shown = {key: leaf for key, leaf in leaves.items() if key not in inner or takes_plain(leaf.annotation)}
    own = tuple(_setting(schema, key, leaf, f"{name}.") for key, leaf in shown.items())
    yield Group(name, schema, own, one_of_several)
    for key, schemas in inner.items():
        for one in schemas:
            yield from _groups_of(f"{name}.{key}", one, len(schemas) > 1)


def _setting(schema: type[Settings], name: str, field: FieldInfo, prefix: str) -> Setting:
    also_auto = "`auto` or " if _takes_auto(schema, name, field) else ""
    return Setting(
        key=prefix + name,
        type=also_auto + type_text(field.annotation),
        default="required" if field.is_required() else code(_default_text(field, bool(also_auto))),
        range=_range_text(field),
        description=field.description or "",
    )


def _takes_auto(schema: type[Settings], name: str, field: FieldInfo) -> bool:
    """Whether `auto` may stand for null, which the type alone does not tell."""
    if field.default is not None or str in typing.get_args(field.annotation):
        return False
    try:
        schema.model_validate({name: "auto"})
    except ValidationError as error:
        return not any(found["loc"][:1] == (name,) for found in error.errors())
    return True


def type_text(annotation: Any) -> str:
    """A type as somebody who writes YAML knows it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return type_text(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return code(f"{{{next(iter(annotation.model_fields))}: …}}")
    if origin is Literal:
        return ", ".join(code(str(value)) for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_text(argument) for argument in arguments)
    if origin in (list, tuple):
        return f"list of {type_text(arguments[0])}"
    if origin is dict:
        return "mapping"
    return NAMES.get(annotation) or str(annotation)


def _default_text(field: FieldInfo, auto: bool) -> str:
    default = field.default
    if default is PydanticUndefined:
        return ""
    if default is None:
        return "auto" if auto else "null"
    value = list(default) if isinstance(default, tuple) else default
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()


def _range_text(field: FieldInfo) -> str:
    return ", ".join(_limit_texts([*field.metadata, *_inner_metadata(field.annotation)]))


def _inner_metadata(annotation: Any) -> list[Any]:
    """The limits of a type inside a choice of types."""
    found = []
    for part in typing.get_args(annotation):
        for extra in typing.get_args(part)[1:] if typing.get_origin(part) is Annotated else ():
            found += extra.metadata if isinstance(extra, FieldInfo) else [extra]
    return found


def _limit_texts(limits: list[Any]) -> Iterator[str]:
    for limit in limits:
        match limit:
            case Ge():
                yield f"≥ {limit.ge}"
            case Gt():
                yield f"> {limit.gt}"
            case Le():
                yield f"≤ {limit.le}"
            case Lt():
                yield f"< {'2^63' if limit.lt == 2**63 else limit.lt}"
            case MinLen():
                yield f"at least {limit.min_length}"


def undescribed() -> list[str]:
    """Settings without a description, and groups without a docstring."""
    bare = [setting.key for group in groups() for setting in group.settings if not setting.description]
    return bare + [group.key for group in groups() if not group.schema.__doc__]


def settings_page() -> str:
    """The page of settings."""
    sections = [_section(group) for group in groups()]
    return page(
        "Recipe reference",
        "A recipe is YAML with a closed schema: an unknown, duplicate or out-of-range key is an error that names the "
        "key, its line and the nearest valid key. Only `model` and `data.train` are required. On the command line a "
        "setting is changed with `--set group.key=value`.",
        "Short forms: " + ", ".join(f"`{group}: …` for `{group}: {{{key}: …}}`" for group, key in SHORT_FORMS.items())
        + ". Paths in a recipe start from the folder that the recipe is in.",
        *sections,
    )  # fmt: skip


def _section(group: Group) -> str:
    title = f"`{group.key}`" if group.key else "The recipe"
    if group.tag:
        title += f" with `{group.tag}`"
    about = inspect.cleandoc(group.schema.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    rows = [(code(one.key), one.type, one.default, one.range, one.description) for one in group.settings]
    body = table(["key", "type", "default", "range", "meaning"], rows) if rows else "No settings of its own."
    return f"## {title}\n\n{about}\n\n{body}"
