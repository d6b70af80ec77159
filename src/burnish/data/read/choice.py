"""Which files of a folder, or of a repository on the hub, are its rows. By name alone, before any of them is read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from burnish.core.errors import DataError
from burnish.data.read.kind import KINDS, Kind
from burnish.data.read.stored import suffix_of

METADATA = re.compile(r"(dataset_infos?|dataset_dict|state)\.json")  # what `datasets` writes beside the rows
ABOUT_DATA = re.compile(r"(readme|licen[cs]e|changelog|notice)\b.*", re.IGNORECASE)
PART = re.compile(r"(?:^|[/._-])(train|test|dev|val|valid|validation|eval)(?:ing)?(?=[/._-]|$)", re.IGNORECASE)
SAME_PART = {"val": "dev", "valid": "dev", "validation": "dev", "eval": "test"}
TOKEN = re.compile(r"\*\*/?|\*|\?|.", re.DOTALL)
SPELT = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
MOST_NAMED = 8


@dataclass(frozen=True)
class Chosen:
    """Names in order. Texts are a row each; `left_out` are texts that lie beside data files."""

    names: tuple[str, ...]
    texts: bool = False
    left_out: tuple[str, ...] = ()


def choose(names: Iterable[str], where: str, *, pattern: str = "**") -> Chosen:
    """The data files of the one kind there is, else the texts. Names are relative, with "/" between folders.

    Raises DataError: there is none, they are of several kinds, or they are several parts (train and test), which must
    not be mixed.
    """
    seen = sorted(name for name in names if _visible(name) and matches(name, pattern))
    by_kind: dict[Kind, list[str]] = defaultdict(list)
    for name in seen:
        if (kind := KINDS.get(suffix_of(name))) and not METADATA.fullmatch(PurePosixPath(name).name):
            by_kind[kind].append(name)
    texts = by_kind.pop("text", [])
    if len(by_kind) > 1:
        raise DataError(
            "The folder holds data files of several kinds.",
            where=where,
            seen=", ".join(found[0] for found in by_kind.values()),
            next_move="name one of them, or a pattern such as folder/*.jsonl",
        )
    if by_kind:
        (chosen,) = by_kind.values()
        _check_parts(chosen, where)
        return Chosen(tuple(chosen), left_out=tuple(texts))
    if all(ABOUT_DATA.fullmatch(PurePosixPath(name).name) for name in texts):
        raise DataError(
            "No file here is of a kind that is read.",
            where=where,
            seen=", ".join(seen[:MOST_NAMED]) or "no files",
            next_move=f"name a file; these kinds are read: {', '.join(KINDS)}",
        )
    _check_parts([name for name in texts if PART.fullmatch(PurePosixPath(name).stem)], where)
    return Chosen(tuple(texts), texts=True)


def _visible(name: str) -> bool:
    return not any(part.startswith(".") for part in PurePosixPath(name).parts)


def _check_parts(names: list[str], where: str) -> None:
    """Rows to learn from and rows to be tested on must never come in by one name."""
    parts: dict[str, str] = {}
    for name in names:
        if found := PART.search(name):
            part = found[1].lower()
            parts.setdefault(SAME_PART.get(part, part), name)
    if len(parts) > 1:
        raise DataError(
            "These are several parts of a data set, which must not be mixed.",
            where=where,
            seen=", ".join(parts.values()),
            next_move="name each part, such as data: {train: folder/train.jsonl, test: folder/test.jsonl}, "
            "or a list of files if all are to be learnt from",
        )


def is_pattern(name: str) -> bool:
    """Whether a name stands for several files."""
    return "*" in name or "?" in name


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern of *, ? (both within one folder) and ** matches a name as a whole."""
    expression = "".join(SPELT.get(token) or re.escape(token) for token in TOKEN.findall(pattern))
    return bool(re.fullmatch(expression, name, re.DOTALL))
