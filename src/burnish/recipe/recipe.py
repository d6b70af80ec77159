"""The recipe: one closed schema over the settings of every folder, from a YAML file, a command line, or both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from burnish.adapt.further_settings import BESIDE_ONLY
from burnish.adapt.settings import AdaptSettings, LoRASettings
from burnish.core.errors import RecipeError
from burnish.core.files import write_text
from burnish.core.settings import Document, Settings, build, parse_yaml, read_yaml
from burnish.data.settings import DataSettings
from burnish.deploy.settings import ExportSettings
from burnish.evals.retention_settings import with_suites_from
from burnish.evals.settings import EvaluateSettings
from burnish.graders.settings import with_file_from
from burnish.guards.settings import ProtectSettings
from burnish.model.settings import ModelSettings
from burnish.objectives.settings import ObjectiveSettings
from burnish.objectives.settings import SFTSettings as DefaultObjective
from burnish.train.settings import TrainSettings

# `model: NAME` is short for `model: {name: NAME}`, and so on.
SHORT_FORMS = {"model": "name", "data": "train", "adapt": "type", "objective": "type", "protect": "level",
               "export": "forms"}  # fmt: skip


class Recipe(Settings):
    """A whole run."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][\w.-]*$", description="Name of the run's folder.")
    model: ModelSettings
    data: DataSettings
    objective: ObjectiveSettings = DefaultObjective()
    adapt: AdaptSettings = LoRASettings()
    train: TrainSettings = TrainSettings()
    protect: ProtectSettings = ProtectSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    export: ExportSettings = ExportSettings()


def expand(document: Document) -> Document:
    """Short forms written out, and filled in: the `type` of adapt and objective where it is the default, and the export
    of a method that has one form alone."""
    values = dict(document.values)
    for group, key in SHORT_FORMS.items():
        if group in values and not isinstance(values[group], dict):
            values[group] = {key: values[group]}
    adapt = values.get("adapt")
    if "export" not in values and isinstance(adapt, dict) and adapt.get("type") in BESIDE_ONLY:
        values["export"] = {"forms": ["adapter"]}
    for group, kind in (("adapt", "lora"), ("objective", "sft")):
        if isinstance(values.get(group), dict):
            values[group] = {"type": kind, **values[group]}
    return Document(values, document.lines, document.name)


def read_recipe(
    path: Path | None,
    *,
    model: str | None = None,
    data: str | None = None,
    name: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> tuple[Recipe, Path]:
    """The recipe of a file with the command line's changes on top, and the folder its paths start from.

    Raises RecipeError with the key, its line and the nearest valid key.
    """
    document = expand(read_yaml(path)) if path else Document({})
    base = path.parent if path else Path.cwd()
    values = {key: dict(value) if isinstance(value, dict) else value for key, value in document.values.items()}
    if model is not None:
        values["model"] = {**values.get("model", {}), "name": _from_here(model)}
    if data is not None:
        kept = values.get("data", {})
        values["data"] = {**kept, "train": absolute(Path.cwd(), data)}
    if name is not None:
        values["name"] = name
    for key, value in (changes or {}).items():
        _set(values, key, value)
    recipe = with_level(build(Recipe, expand(Document(values, document.lines, document.name))))
    _check_forms(recipe)
    return recipe.model_copy(update={"name": recipe.name or default_name(recipe, path)}), base


def _check_forms(recipe: Recipe) -> None:
    """Now, not after hours of training. Raises RecipeError: a form that this method or new tokens cannot have."""
    if recipe.adapt.type in BESIDE_ONLY and (impossible := [form for form in recipe.export.forms if form != "adapter"]):
        raise RecipeError(
            f"What `adapt: {recipe.adapt.type}` learns can't be merged into the weights, so it has one form.",
            where="export",
            seen=", ".join(impossible),
            next_move="write `export: [adapter]`, or leave `export` out",
        )
    if not recipe.model.new_tokens:
        return
    if recipe.model.weights == "stored":
        raise RecipeError(
            "New tokens need rows, and a table in the blocks of a GGUF file can't grow.",
            where="model.new_tokens",
            seen="model.weights: stored",
            next_move="write `weights: dense`",
        )
    if "adapter-gguf" in recipe.export.forms:
        raise RecipeError(
            "llama.cpp has no adapter that adds tokens.",
            where="export",
            seen="adapter-gguf with model.new_tokens",
            next_move="export a whole model: `gguf-q8_0`",
        )


def with_level(recipe: Recipe) -> Recipe:
    """A level of protection puts LoRA on the MLP matrices alone where the recipe does not say which ones: at equal
    gain it forgets less there."""
    adapt = recipe.adapt
    if recipe.protect.level == "none" or not isinstance(adapt, LoRASettings) or "targets" in adapt.model_fields_set:
        return recipe
    return recipe.model_copy(update={"adapt": adapt.model_copy(update={"targets": "mlp"})})


def _from_here(model: str) -> str:
    """A path on the command line is seen from where the command is typed, not from the recipe."""
    return str(Path(model).absolute()) if Path(model).exists() else model


def parse_changes(texts: list[str]) -> dict[str, Any]:
    """`--set train.epochs=2` → {"train.epochs": 2}; values are read as YAML. Raises RecipeError."""
    changes: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise RecipeError("`--set` takes group.key=value.", seen=text, next_move="for example --set train.epochs=2")
        changes[key] = parse_yaml(f"value: {value}", f"--set {key}").values["value"]
    return changes


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    *groups, last = key.split(".")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise RecipeError(f"`--set {key}`: `{group}` holds a value, not a group.", next_move="check the key")
    values[last] = value


def default_name(recipe: Recipe, path: Path | None) -> str:
    """The recipe's file name, or the data's."""
    stem = path.stem if path else Path(recipe.data.train_files[0]).name.split(".")[0]
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "run"


def absolute(base: Path, name: str) -> str:
    """A file as it may be named from anywhere; an address of the network as it is."""
    return name if "://" in name else str((base / Path(name).expanduser()).absolute())


def write_recipe(recipe: Recipe, base: Path, path: Path) -> None:
    """Every value resolved, nothing implied; paths absolute, so that the run can be read from anywhere."""
    values = recipe.model_dump(mode="json")
    data = values["data"]
    data["train"] = [
        source.model_dump(mode="json", exclude_defaults=True) | {"file": file}
        if source.weight != 1 or source.name
        else file
        for source in recipe.data.train_sources
        for file in [absolute(base, source.file)]
    ]
    data["decontaminate"] = [absolute(base, name) for name in recipe.data.decontaminate]
    for part in ("test", "dev", "review"):
        if data[part]:
            data[part] = absolute(base, data[part])
    if data["grow"]["documents"]:
        data["grow"]["documents"] = absolute(base, data["grow"]["documents"])
    if recipe.protect.replay_file:
        values["protect"]["replay"]["file"] = absolute(base, recipe.protect.replay_file)
    values["evaluate"]["metric"] = with_file_from(recipe.evaluate.metric, base).model_dump(mode="json")
    values["evaluate"]["retention"] = with_suites_from(recipe.evaluate.retention, base).model_dump(mode="json")
    here = [one for one in values["evaluate"]["opponents"] if isinstance(one, dict) and "address" not in one]
    groups = [(values["model"], "name"), (data["grow"], "model"), *((one, "model") for one in here if "model" in one)]
    if recipe.evaluate.judge is not None and recipe.evaluate.judge.address is None:
        groups.append((values["evaluate"]["judge"], "model"))
    for group, key in groups:
        if group[key] and (base / group[key]).exists():
            group[key] = str((base / group[key]).absolute())
    write_text(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
