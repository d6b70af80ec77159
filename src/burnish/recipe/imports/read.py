"""Files → which tool they belong to → a recipe. Files are data: nothing in them is run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.errors import RecipeError
from burnish.core.settings import parse_yaml
from burnish.recipe.imports import axolotl, llamafactory, openai, trl
from burnish.recipe.imports.contract import Given, Imported, Note, Rule
from burnish.recipe.imports.training import devices_note
from burnish.recipe.imports.trl_command import Call, read_script

TABLES: Mapping[str, Mapping[str, Rule]] = {
    "axolotl": axolotl.TABLE,
    "llamafactory": llamafactory.TABLE,
    "trl": trl.TABLE,
    "openai": openai.TABLE,
}
# keys that no other of these tools has
TELLING = {
    "axolotl": ("base_model", "micro_batch_size", "sequence_len", "num_epochs", "val_set_size"),
    "llamafactory": ("stage", "finetuning_type", "cutoff_len", "lora_rank", "template", "dataset_dir"),
    "openai": ("training_file", "validation_file", "fine_tuned_model"),
    "trl": ("dataset_name", "dataset_train_split", "use_peft", "lora_r", "max_length"),
}
MOST_BYTES = 10_000_000
MOST_YAML = 300_000  # characters; more takes long to read, and no one's settings are so large
MOST_BRACKETS = 100  # open at once


@dataclass(frozen=True)
class Foreign:
    """One file: settings, or a call of TRL."""

    path: Path
    values: Mapping[str, Any]
    call: Call | None = None


def import_files(
    paths: Sequence[Path],
    *,
    tool: str | None = None,
    devices: int | None = None,
    model: str | None = None,
    data: str | None = None,
) -> Imported:
    """The recipe that files of another tool describe, and what became of each of their keys.

    tool: one of TABLES, by default found out. devices: GPUs that shared a batch there. model, data: instead of theirs.

    Raises RecipeError: a file is absent, damaged or of none of the tools, or a description is missing.
    """
    if tool is not None and tool not in TABLES:
        raise RecipeError("There is no such tool.", seen=f"--from {tool}", next_move=f"one of: {', '.join(TABLES)}")
    files = [read_foreign(path) for path in paths]
    extra = said_besides(model, data)
    script = next((file for file in files if file.call is not None), None)
    if script is not None and script.call is not None and tool in (None, "trl"):
        config, notes = config_of(script.call, script.path, [file for file in files if file is not script])
        return trl.from_call(script.call, config, devices, [*extra, *notes])
    main, beside = main_and_beside([file for file in files if file.call is None], paths)
    tool = tool or detect(main)
    if tool == "openai":
        return openai.convert(Given(main.values), extra)
    found = axolotl.world_size(main.values) if tool == "axolotl" else None
    extra += devices_note(devices, found)
    if tool == "trl":
        return trl.convert(Given(main.values, trl.guessed_method(main.values), devices or 1), extra)
    if tool == "axolotl":
        return axolotl.convert(Given(main.values, {}, devices or found or 1), extra)
    return llamafactory.convert(Given(main.values, beside or description(main), devices or 1), extra)


def said_besides(model: str | None, data: str | None) -> list[Note]:
    """Notes for what the command line says; it counts before the files."""
    said = {"model": ("model.name", model), "data": ("data.train", data)}
    return [
        Note(f"--{option}", value, "added", "from the command line", {target: value})
        for option, (target, value) in said.items()
        if value is not None
    ]


def read_foreign(path: Path) -> Foreign:
    """Reads one file. Raises RecipeError: it is absent, not text, too large, or neither settings nor a call."""
    try:
        size = path.stat().st_size
        text = path.read_text("utf-8-sig") if size <= MOST_BYTES and (path.is_file() or path.is_dir()) else ""
    except FileNotFoundError as error:
        raise RecipeError("There is no such file.", where=str(path), next_move="check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            "The file cannot be read as text.", where=str(path), seen=str(error)[:200], next_move="name a text file"
        ) from error
    if size > MOST_BYTES:
        raise RecipeError("The file is too large for settings.", where=str(path), seen=f"{size:,} bytes")
    if text.lstrip().startswith(("{", "[")):
        return Foreign(path, read_json(text, str(path)))
    call = read_script(text, str(path)) if looks_like_script(path, text) else None
    if call is not None:
        return Foreign(path, {}, call)
    if len(text) > MOST_YAML or is_deep(text):
        raise RecipeError("The file cannot be imported.", where=str(path), seen="too large or too deep for settings")
    try:
        return Foreign(path, parse_yaml(text, str(path)).values)
    except RecipeError as error:
        raise RecipeError(
            "The file cannot be imported.",
            where=error.where,
            seen=f"{error.what} {error.seen}".strip(),
            next_move="give a YAML or JSON of settings, or a script that calls TRL",
        ) from error


def is_deep(text: str) -> bool:
    """Whether brackets are nested so deeply that reading them would take long."""
    depth = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if depth > MOST_BRACKETS:
            return True
    return False


def looks_like_script(path: Path, text: str) -> bool:
    """By its name, its first line, or a line that starts a launcher."""
    launcher = re.search(
        r"^\s*(\w+=\S*\s+)*(\S*/)?(trl|accelerate|torchrun|deepspeed|python3?|uv)\s", text, re.MULTILINE
    )
    return path.suffix in (".sh", ".bash") or text.startswith("#!") or launcher is not None


def read_json(text: str, name: str) -> dict[str, Any]:
    """One object. Raises RecipeError: not JSON, not an object, or a key stands twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise RecipeError(f"The key `{key}` stands twice.", where=name, next_move="keep one of them")
            found[key] = value
        return found

    try:
        value = json.loads(text, object_pairs_hook=once)
    except RecursionError as error:
        raise RecipeError("The file is nested too deeply.", where=name) from error
    except RecipeError:
        raise
    except ValueError as error:
        raise RecipeError("The file is not valid JSON.", where=name, seen=str(error)[:120]) from error
    if isinstance(value, dict) and value.get("object") == "list":
        raise RecipeError("This is a list of jobs.", where=name, next_move="give one job: GET /v1/fine_tuning/jobs/ID")
    if not isinstance(value, dict):
        raise RecipeError("Settings are an object of keys and values.", where=name, seen=text[:60])
    return value


def main_and_beside(files: Sequence[Foreign], paths: Sequence[Path]) -> tuple[Foreign, Mapping[str, Any]]:
    """The settings, and the dataset_info.json that was given with them. Raises RecipeError: too many files."""
    infos = [file for file in files if is_description(file)]
    mains = [file for file in files if not is_description(file)]
    if not mains:
        raise RecipeError(
            "These files describe datasets and hold no settings.",
            where=str(paths[0]),
            next_move="give the YAML that names the datasets, too",
        )
    if len(mains) > 1 or len(infos) > 1:
        seen = ", ".join(map(str, paths))
        raise RecipeError("One file of settings makes one recipe.", seen=seen, next_move="import each by itself")
    return mains[0], infos[0].values if infos else {}


def is_description(file: Foreign) -> bool:
    """Whether a file is LLaMA-Factory's dataset_info.json: names of datasets, each with an address."""
    addresses = ("file_name", "hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name")
    entries = list(file.values.values())
    described = all(isinstance(entry, dict) and any(key in entry for key in addresses) for entry in entries)
    return bool(entries) and described


def description(main: Foreign) -> Mapping[str, Any]:
    """The dataset_info.json beside the settings, or where the settings say; empty where there is none."""
    folder = str(main.values.get("dataset_dir") or "data")
    for place in (Path(folder), main.path.parent / folder, main.path.parent):
        path = place / "dataset_info.json"
        if path.is_file():
            return read_foreign(path).values
    return {}


def config_of(call: Call, path: Path, others: Sequence[Foreign]) -> tuple[Mapping[str, Any], list[Note]]:
    """What the --config file of a call says: the file given with it, or the one that it names."""
    named = call.options.get("config")
    if others:
        return main_and_beside(others, [other.path for other in others])[0].values, []
    if not isinstance(named, str):
        return {}, []
    for place in (Path(named), path.parent / named):
        if place.is_file():
            return read_foreign(place).values, []
    raise RecipeError(
        "The --config file of the call is not here.",
        where=str(path),
        seen=named,
        next_move=f"give it too: burnish import {path} {Path(named).name}",
    )


def detect(file: Foreign) -> str:
    """The tool that most of the keys belong to. Raises RecipeError: it cannot be told."""
    if file.values.get("object") == "fine_tuning.job":
        return "openai"
    telling = {tool: sum(key in file.values for key in keys) for tool, keys in TELLING.items()}
    known = {tool: sum(key in table for key in file.values) for tool, table in TABLES.items()}
    ranked = sorted(TABLES, key=lambda tool: (telling[tool], known[tool]), reverse=True)
    best, second = ranked[:2]
    if not known[best] or (telling[best], known[best]) == (telling[second], known[second]):
        raise RecipeError(
            "Cannot tell which tool this file belongs to.",
            where=str(file.path),
            seen=f"keys: {', '.join(list(file.values)[:10]) or 'none'}",
            next_move=f"say it with --from: {', '.join(TABLES)}",
        )
    return best
