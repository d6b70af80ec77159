"""What several tools say alike about data: addresses, layouts, several files in one recipe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from burnish.recipe.imports.contract import Given, Note, Rule
from burnish.recipe.imports.rules import below, translate, unusable
from burnish.recipe.imports.values import is_blank, word, words

SUFFIXES = (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".md", ".gz", ".zst")
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
TURNS = ("messages", "conversations", "conversation")
ROLES = (
    "system", "developer", "user", "human", "prompter", "assistant", "gpt", "chatgpt", "bot", "model", "tool",
    "function", "function_call", "observation", "ipython",
)  # fmt: skip
QUESTIONS = (
    "prompt", "question", "query", "instruction", "input", "text", "sentence", "source", "document", "article",
    "problem",
)  # fmt: skip
SYSTEMS = ("system", "system_prompt")
SPELLINGS = {("role", "content"): "messages", ("from", "value"): "sharegpt"}
LAYOUT = ("data.format", "data.prompt", "data.completion", "data.rejected", "data.template")


def address(path: str) -> str:
    """A file, folder or address as it is; any other name is a dataset of the hub."""
    local = path.endswith(SUFFIXES) or path.startswith(("/", "./", "../", "~")) or Path(path).exists()
    return path if "://" in path or local or not HUB_NAME.fullmatch(path) else f"hf://datasets/{path}"


def located(key: str, value: Any, paths: Sequence[str], part: str) -> Note:
    """The note of a key that names files: `part` is data.train, or data.dev, which takes one file."""
    found = [address(path) for path in paths]
    far = [one for one in found if one.startswith(("s3://", "gs://", "gcs://", "az://", "oci://"))]
    if far:
        return Note(key, value, "missing", "not read from there: fetch the file and name it", {part: found})
    text = "a dataset of the Hugging Face hub" if any(one.startswith("hf://") for one in found) else ""
    return Note(key, value, "translated", text, {part: found})


def joined(entries: Sequence[Sequence[Note]], part: str) -> list[Note]:
    """The notes of several datasets as those of one recipe: files in one list; one layout, if all have the same."""
    files = [path for notes in entries for path in _files(notes, part)]
    layouts = [{key: value for note in notes for key, value in note.sets.items() if key in LAYOUT} for notes in entries]
    common = all(layout == layouts[0] for layout in layouts) and part == "data.train"
    return [_shared(note, part, files, common) for notes in entries for note in notes]


def _files(notes: Sequence[Note], part: str) -> list[str]:
    return next((list(note.sets[part]) for note in notes if part in note.sets), [])


def _shared(note: Note, part: str, files: list[str], common: bool) -> Note:
    """The note with all files, and without a layout that is not that of the whole recipe."""
    rest = {key: value for key, value in note.sets.items() if key not in (part, *LAYOUT)}
    layout = {key: value for key, value in note.sets.items() if key in LAYOUT}
    if part in note.sets and part == "data.train":
        all_files: Any = files[0] if len(files) == 1 else files
        return replace(note, sets={**rest, **(layout if common else {}), part: all_files})
    if part in note.sets:
        if list(note.sets[part]) != files[:1]:
            return replace(note, outcome="missing", text="one file serves here: the first", sets=rest)
        return replace(note, sets={**rest, part: files[0]})
    if common or not layout:
        return note
    if part != "data.train":
        return replace(note, outcome="ignored", text="read as train is", sets=rest)
    text = "the datasets are laid out differently, and a recipe names one layout: each file is recognised by its keys"
    return replace(note, outcome="changed", text=text, sets=rest)


def place(part: str) -> Rule:
    """`path`, unless `data_files` names the files."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        try:
            if key == "path" and not is_blank(given.values.get("data_files")):
                return [Note(key, value, "ignored", "`data_files` names the files")]
            return [located(key, value, words(value) if key == "data_files" else [word(value)], part)]
        except ValueError as error:
            return [unusable(key, value, error)]

    return rule


def entries(table_of: Callable[[str], Mapping[str, Rule]], part: str) -> Rule:
    """A list of datasets, each a mapping, or one alone; `table_of(part)` holds the rules for its keys."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        listed = (
            {f"{key}.{number}": one for number, one in enumerate(value)} if isinstance(value, list) else {key: value}
        )
        if not all(isinstance(one, dict) for one in listed.values()):
            return [Note(key, value, "missing", "a list of datasets, each with its path, is expected")]
        return joined([described(path, one) for path, one in listed.items()], part)

    def described(path: str, entry: Mapping[str, Any]) -> list[Note]:
        if not entry:
            return [Note(path, entry, "ignored", "left empty")]
        return below(path, translate(Given(entry), table_of(part), "datasets"))

    return rule


def one_file(part: str) -> Rule:
    """A key that names one dataset."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        return joined([place(part)(key, value, given)], part)

    return rule
