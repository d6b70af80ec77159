"""LLaMA-Factory's `dataset:` and what dataset_info.json says of each name → data.train and the layout of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.core.errors import RecipeError
from burnish.recipe.imports.contract import Given, Note, Rule
from burnish.recipe.imports.datasets import QUESTIONS, ROLES, SPELLINGS, SYSTEMS, TURNS, address, joined
from burnish.recipe.imports.rules import below, each, ignored, missing, only, translate, unusable
from burnish.recipe.imports.values import is_blank, whole, words

INFO = "dataset_info"
RENAME_TURNS = "turns are found under messages, conversations or conversation: rename the column"
RENAME_PARTS = "messages hold role and content, or from and value: rename them"
ADDRESSES = ("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name")


def columns_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The names of columns, or none."""
    found = entry.get("columns")
    return found if isinstance(found, dict) else {}


def alpaca_layout(entry: Mapping[str, Any]) -> dict[str, str]:
    """Keys of the recipe for rows of one question, with one answer, two answers or none (plain text).

    Columns that are named leave out the others; without `columns` they are instruction, input and output.
    """
    columns = columns_of(entry) or {"prompt": "instruction", "query": "input", "response": "output"}
    prompt, query = str(columns.get("prompt") or "instruction"), str(columns.get("query") or "")
    question = {"data.template": f"{{{prompt}}}\n{{{query}}}"} if query else {"data.prompt": prompt}
    usual = prompt == "instruction" and query in ("", "input")
    if entry.get("ranking"):
        pair = pair_of(columns)
        named = pair == ("chosen", "rejected") and (usual or (prompt in QUESTIONS and not query))
        answers = {"data.completion": pair[0], "data.rejected": pair[1]}
        return {"data.format": "preference"} if named else {**question, **answers}
    response = str(columns.get("response") or "")
    if usual and response in ("output", "response"):
        return {"data.format": "alpaca"}
    return {**question, "data.completion": response} if response else {"data.format": "text"}


def pair_of(columns: Mapping[str, Any]) -> tuple[str, str]:
    return str(columns.get("chosen") or "chosen"), str(columns.get("rejected") or "rejected")


def turns_layout(entry: Mapping[str, Any]) -> dict[str, str] | None:
    """The spelling of a message, or two answers to a conversation; None for a spelling that is not read."""
    tags = entry.get("tags")
    tags = tags if isinstance(tags, dict) else {}
    spelling = (tags.get("role_tag", "from"), tags.get("content_tag", "value"))
    if entry.get("formatting") == "openai" and not tags:
        spelling = ("role", "content")
    if spelling not in SPELLINGS:
        return None
    if not entry.get("ranking"):
        return {"data.format": SPELLINGS[spelling]}
    columns = columns_of(entry)
    better, worse = pair_of(columns)
    if (better, worse) == ("chosen", "rejected"):
        return {"data.format": "preference"}
    turns = str(columns.get("messages") or "conversations")
    return {"data.prompt": turns, "data.completion": better, "data.rejected": worse}


def layout_of(entry: Mapping[str, Any]) -> dict[str, str] | None:
    """By `formatting`; None for rows that are not read."""
    name = str(entry.get("formatting") or "alpaca").strip().lower()
    return alpaca_layout(entry) if name == "alpaca" else turns_layout(entry) if name in ("sharegpt", "openai") else None


def formatting(key: str, value: Any, given: Given) -> list[Note]:
    """alpaca, sharegpt or openai."""
    found = layout_of(given.values)
    if found is None:
        return [Note(key, value, "missing", RENAME_PARTS)]
    kind = {target: name for target, name in found.items() if target == "data.format"}
    return [Note(key, value, "translated", "", kind)]


def ranking(key: str, value: Any, given: Given) -> list[Note]:
    """Pairs of a better and a worse answer."""
    return formatting(key, value, given) if value else [Note(key, value, "ignored", "off")]


def columns(key: str, value: Any, given: Given) -> list[Note]:
    """The names of columns."""
    if not isinstance(value, dict):
        return [Note(key, value, "missing", "a mapping of columns is expected")]
    turns = str(given.values.get("formatting", "alpaca")) != "alpaca"
    return below(key, translate(Given(value, given.values), TURN_COLUMNS if turns else COLUMNS, INFO))


def question(key: str, value: Any, given: Given) -> list[Note]:
    """Part of the prompt, or plain text."""
    entry = given.beside
    found = alpaca_layout(entry)
    if found == {"data.format": "text"} and value != "text" and not _is_plain_file(entry):
        return [Note(key, value, "missing", "a text stands in the column `text`: rename it", found)]
    joined_by = ""
    if "data.template" in found:
        joined_by = "every row needs both columns"
    elif columns_of(entry).get("query"):
        joined_by = "instruction and input are joined by a blank line"
    asked = {
        target: name for target, name in found.items() if target in ("data.format", "data.prompt", "data.template")
    }
    return [Note(key, value, "changed" if joined_by else "translated", joined_by, asked)]


def _is_plain_file(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("file_name", "")).endswith((".txt", ".md"))


def part_of_layout(target: str) -> Rule:
    """A column of answers, by its own name or as part of a known layout."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        found = layout_of(given.beside) or {}
        sets = {one: name for one, name in found.items() if one in (target, "data.format")}
        return [Note(key, value, "translated", "", sets)]

    return rule


def turns_column(key: str, value: Any, given: Given) -> list[Note]:
    """The column of messages."""
    found = turns_layout(given.beside) or {}
    if "data.prompt" in found:
        return [Note(key, value, "translated", "", {"data.prompt": found["data.prompt"]})]
    return only(*TURNS, otherwise=RENAME_TURNS)(key, value, given)


def tags(key: str, value: Any, given: Given) -> list[Note]:
    """The names within a message."""
    if not isinstance(value, dict):
        return [Note(key, value, "missing", "a mapping of tags is expected")]
    return below(key, translate(Given(value, given.values), TAG_RULES, INFO))


def spelling_tag(key: str, value: Any, given: Given) -> list[Note]:
    """role and content, or from and value."""
    found = turns_layout(given.beside)
    if found is None:
        return [Note(key, value, "missing", RENAME_PARTS)]
    return [Note(key, value, "translated", "", {key: name for key, name in found.items() if key == "data.format"})]


NOT_LEARNT = missing("images and sound are not learnt: such rows are left out")
COLUMNS: Mapping[str, Rule] = {
    **each(question, "prompt query"),
    "response": part_of_layout("data.completion"),
    "system": only(*SYSTEMS, otherwise="a system message stands in the column `system` or `system_prompt`: rename it"),
    "history": only("history", otherwise="earlier turns stand in the column `history`: rename it"),
    "tools": only("tools", "functions", otherwise="tools stand in the column `tools`: rename it"),
    "chosen": part_of_layout("data.completion"),
    "rejected": part_of_layout("data.rejected"),
    "kto_tag": missing("answers marked good or bad need another objective than sft and dpo"),
    **each(NOT_LEARNT, "images videos audios"),
    "messages": missing("belongs to formatting: sharegpt"),
}
TURN_COLUMNS: Mapping[str, Rule] = {
    **COLUMNS,
    "messages": turns_column,
    **each(missing("belongs to formatting: alpaca"), "prompt query response history"),
}
TAG_RULES: Mapping[str, Rule] = {
    **each(spelling_tag, "role_tag content_tag"),
    **each(only(*ROLES, otherwise="only user, human, assistant, gpt, system, tool and their like: rename"),
           "user_tag assistant_tag system_tag observation_tag function_tag"),
}  # fmt: skip


def samples(key: str, value: Any, given: Given) -> list[Note]:
    """How many rows of each file."""
    try:
        count = whole(value) * max(1, len(names_of(given, "dataset")))
    except ValueError as error:
        return [unusable(key, value, error)]
    return [
        Note(key, value, "changed", "of all files together, a seeded sample before the split", {"data.rows": count})
    ]


def names_of(given: Given, key: str) -> list[str]:
    """The datasets named under a key. Raises ValueError."""
    return [] if is_blank(given.values.get(key)) else words(given.values[key])


def folder(given: Given) -> str:
    """Where the files and their description lie."""
    found = given.values.get("dataset_dir")
    return str(found).rstrip("/") if not is_blank(found) else "data"


def entry_address(folder_name: str, part: str) -> Rule:
    """Where a dataset lies. Of several addresses the hub's counts, as there."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        entry = given.values
        first = next(name for name in ADDRESSES if not is_blank(entry.get(name)))
        if key != first:
            return [Note(key, value, "ignored", f"`{first}` counts")]
        plain = is_blank(entry.get("formatting")) and is_blank(entry.get("columns"))
        layout = alpaca_layout(entry) if plain else {}
        if key == "hf_hub_url":
            text = "a dataset of the Hugging Face hub"
            return [Note(key, value, "translated", text, {part: [address(str(value))], **layout})]
        if key == "file_name":
            return [Note(key, value, "translated", "", {part: [f"{folder_name}/{value}"], **layout})]
        text = "not read from there: fetch the file, or write its address on the Hugging Face hub"
        return [Note(key, value, "missing", text, {part: [str(value)], **layout})]

    return rule


def entry_table(folder_name: str, part: str) -> Mapping[str, Rule]:
    """The keys of one description."""
    return {
        **each(entry_address(folder_name, part), " ".join(ADDRESSES)),
        "formatting": formatting,
        "ranking": ranking,
        "columns": columns,
        "tags": tags,
        "split": only("train", otherwise="whole files are read: data.rows takes a part of them"),
        "num_samples": missing("whole files are read: data.rows takes a part of all of them"),
        **each(missing("a part of a hub's dataset cannot be named"), "subset folder revision"),
        "load_from": ignored("found out from the address"),
    }


def datasets(part: str) -> Rule:
    """Names → files, through dataset_info.json."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        try:
            names = names_of(given, key)
            if part == "data.dev":
                names = [name for name in names if name not in names_of(given, "dataset")]
        except ValueError as error:
            return [unusable(key, value, error)]
        if not names:
            return [Note(key, value, "missing", "the same rows as train: dev is split off them")]
        notes = online(names, part) if folder(given) == "ONLINE" else described(names, given, part)
        files = next((note.sets[part] for note in notes if part in note.sets), None)
        inner = [note for note in notes if note.key.startswith(INFO)]
        return [Note(key, value, "translated", "", {part: files}), *inner]

    return rule


def online(names: list[str], part: str) -> list[Note]:
    """Names of the hub's datasets, without a description."""
    return joined([[Note(name, name, "translated", "", {part: [address(name)]})] for name in names], part)


def described(names: list[str], given: Given, part: str) -> list[Note]:
    """The notes on each dataset's description. Raises RecipeError: there is none."""
    table = entry_table(folder(given), part)
    notes = []
    for name in names:
        entry = given.beside.get(name)
        if not isinstance(entry, dict) or all(is_blank(entry.get(one)) for one in ADDRESSES):
            raise RecipeError(
                f"The dataset {name!r} is not described.",
                where=f"{folder(given)}/dataset_info.json",
                seen=f"described are: {', '.join(list(given.beside)[:8]) or 'none'}",
                next_move="give the description too: burnish import FILE.yaml data/dataset_info.json",
            )
        notes.append(below(f"{INFO}.{name}", translate(Given(entry), table, INFO)))
    return joined(notes, part)


TABLE: Mapping[str, Rule] = {
    "dataset": datasets("data.train"),
    "eval_dataset": datasets("data.dev"),
    "dataset_dir": ignored("part of the files' paths"),
    "max_samples": samples,
}
