"""croissant.json: the prepared parts described in the vocabulary of MLCommons Croissant 1.0, which dataset tools read.

The format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html, and for the limits of the data
https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from burnish.core.files import sha256_of_file, sha256_of_json, write_json
from burnish.core.records import row_from_json
from burnish.core.run_folder import RunFolder
from burnish.data.card import DataCard, limits

FILE = "croissant.json"
TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
    "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
)  # fmt: skip
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in TERMS},
}
MESSAGES = "Turns, each with the role that speaks and what it says."
# Kind of row → its columns beside id, source and group: name, type, what it holds. A list of messages has no type.
COLUMNS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "chat": (("messages", "", MESSAGES + " The last one is the answer to be learnt."),),
    "text": (("text", "sc:Text", "Plain text, all of it to be learnt."),),
    "pair": (
        ("prompt", "", MESSAGES),
        ("chosen", "sc:Text", "The better answer."),
        ("rejected", "sc:Text", "The worse answer."),
    ),
    "rated": (
        ("prompt", "", MESSAGES),
        ("answer", "sc:Text", "The answer that was rated."),
        ("score", "sc:Float", "How good it is: more is better; true and false are 1 and 0."),
    ),
    "prompt": (("prompt", "", MESSAGES + " The model writes the answer itself."),),
}
COMMON = (
    ("id", "sc:Text", "A hash of what the row says."),
    ("source", "sc:Text", "The file and the line that the row came from."),
    ("group", "sc:Text", "Rows that ask or say the same share it; a group stands in one part only."),
)
PURPOSE = {
    "train": "Rows to learn from.",
    "dev": "Rows for early stopping and for choosing prompts.",
    "test": "Rows for the verdict alone: never learnt from, never chosen by.",
}
SHOWN_LANGUAGE = 0.05  # share of the rows that makes a language one of the data's


def write_croissant(folder: RunFolder, card: DataCard) -> Path:
    """Writes croissant.json beside the prepared parts, with their sizes and hashes, and returns its path.

    A pure function of the parts and the card. Raises BurnishError: the folder cannot be written.
    """
    parts = [path for path in (folder.train, folder.dev, folder.test) if path.exists()]
    files = [(path.name, path.stat().st_size, sha256_of_file(path)) for path in parts]
    kinds = frozenset(card.kinds) or _kinds_of(parts)
    target = folder.data / FILE
    write_json(target, croissant(_name(card), card, files, kinds))
    return target


def _name(card: DataCard) -> str:
    return Path(card.sources[0].file).name.partition(".")[0] if card.sources else "data"


def croissant(name: str, card: DataCard, files: Sequence[tuple[str, int, str]], kinds: Iterable[str]) -> dict[str, Any]:
    """The description as JSON-LD. `files` are (name, bytes, sha256); `kinds` are those of the rows in them.

    Where the parts mix several kinds of rows, only the columns that all of them have are described.
    """
    kinds = sorted(kinds)
    columns = (*COMMON, *(COLUMNS[kinds[0]] if len(kinds) == 1 else ()))
    content = sha256_of_json([list(file) for file in files])
    described: dict[str, Any] = {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": _description(card, kinds),
        "version": f"1.0.0+{content[:12]}",
        "isLiveDataset": False,
        "rai:dataLimitations": list(limits(card)),
        "distribution": [_file(*file) for file in files],
        "recordSet": [_record_set(file, columns) for file, _, _ in files],
    }
    if card.licence:
        described["license"] = card.licence
    if languages := _languages(card):
        described["inLanguage"] = languages
    return described


def _description(card: DataCard, kinds: Sequence[str]) -> str:
    sizes = ", ".join(f"{part.rows} {name}" for name, part in card.parts.items())
    files = ", ".join(dict.fromkeys(source.file.replace("\\", "/").rpartition("/")[2] for source in card.sources))
    return (
        f"Rows for training and testing a language model, prepared by Burnish from {files or 'files not named'}: "
        f"{card.rows_in} rows in, {sizes}, {card.rows_dropped} dropped. Kinds of rows: {', '.join(kinds)}."
    )


def _languages(card: DataCard) -> list[str]:
    """The codes of the languages that more than a few rows are in."""
    counts = [
        (code, count / max(1, sum(side.values()))) for side in card.languages.values() for code, count in side.items()
    ]
    return sorted({code for code, share in counts if share >= SHOWN_LANGUAGE})


def _file(name: str, size: int, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": PURPOSE.get(name.partition(".")[0], ""),
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": "application/jsonlines",
        "sha256": sha256,
    }


def _record_set(file: str, columns: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    part = file.partition(".")[0]
    return {
        "@type": "cr:RecordSet",
        "@id": part,
        "name": part,
        "description": PURPOSE.get(part, ""),
        "key": {"@id": f"{part}/id"},
        "field": [_field(file, part, *column) for column in columns],
    }


def _field(file: str, part: str, column: str, kind: str, description: str) -> dict[str, Any]:
    field = {"@type": "cr:Field", "@id": f"{part}/{column}", "name": column, "description": description}
    if kind:
        return field | {"dataType": kind, "source": _source(file, column)}
    turns = [
        {
            "@type": "cr:Field",
            "@id": f"{part}/{column}/{name}",
            "name": name,
            "dataType": "sc:Text",
            "source": _source(file, column) | {"transform": {"jsonPath": f"$[*].{name}"}},
        }
        for name in ("role", "content")
    ]
    return field | {"repeated": True, "subField": turns}


def _source(file: str, column: str) -> dict[str, Any]:
    return {"fileObject": {"@id": file}, "extract": {"column": column}}


def _kinds_of(parts: Iterable[Path]) -> frozenset[str]:
    """The kind of the first row of each part, for a card that does not say."""
    kinds = set()
    for path in parts:
        with path.open("rb") as file:
            if line := file.readline():
                kinds.add(type(row_from_json(json.loads(line))).__name__.lower())
    return frozenset(kinds)
