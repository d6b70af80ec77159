"""Asking a model, whoever runs it; what it answered is kept, so that nothing is asked twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from burnish.core.errors import DataError
from burnish.core.files import append_jsonl, disk_errors, sha256_of_json
from burnish.core.records import Message

BATCH = 32  # requests that a model is given together, and the most that an interruption loses


@dataclass(frozen=True)
class Asked:
    """One request. Temperature 0 asks for the likeliest text."""

    messages: tuple[Message, ...]
    max_new_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True)
class Answer:
    """`whole` is False where the text was cut off; `refused` says why the request could not be taken."""

    text: str
    whole: bool = True
    refused: str = ""


@dataclass(frozen=True)
class Model:
    """Who answers: a local model by the hash of its files, or the name of one at an address."""

    name: str
    sha256: str = ""
    address: str = ""

    @property
    def shown(self) -> str:
        """Its name, and where it is."""
        return f"{self.name} at {self.address}" if self.address else self.name

    def to_json(self) -> dict[str, str]:
        """What is known of it."""
        return {key: value for key, value in asdict(self).items() if value}


# Requests → one answer each, in order, as they come. Raises DataError: there is nobody who answers.
Ask: TypeAlias = Callable[[Sequence[Asked]], Iterable[Answer]]


@dataclass(frozen=True)
class Writer:
    """Who answers, and the way to ask."""

    model: Model
    ask: Ask


def key_of(asked: Asked, model: Model) -> str:
    """The name of a request: equal requests to one model have the same, wherever its files lie."""
    return sha256_of_json({"asked": asdict(asked), "model": model.sha256 or [model.name, model.address]})


def answers(asked: Iterable[Asked], writer: Writer, kept: Path) -> Iterator[Answer]:
    """One answer for each request, from the file of kept answers where it stands there.

    Raises DataError: every request of the first batch was refused, or nobody answers; what was answered is kept.
    """
    known = _read(kept)
    any_taken = False
    requests = iter(asked)
    while batch := list(islice(requests, BATCH)):
        keys = [key_of(one, writer.model) for one in batch]
        missing = {key: one for key, one in zip(keys, batch, strict=True) if key not in known}
        refused: dict[str, Answer] = {}
        for key, answer in zip(missing, writer.ask(list(missing.values())) if missing else (), strict=True):
            if answer.refused:
                refused[key] = answer
            else:
                _keep(kept, key, answer, known)
        any_taken = any_taken or any(key in known for key in keys)
        if not any_taken:
            raise DataError(
                "The model took none of the requests.",
                where=writer.model.address or writer.model.name,
                seen=refused[keys[0]].refused,
                next_move="use a model with a longer context, or a smaller `max_new_tokens`",
            )
        for key, answer in refused.items():
            _keep(kept, key, answer, known)
        yield from (known[key] for key in keys)


def _keep(kept: Path, key: str, answer: Answer, known: dict[str, Answer]) -> None:
    append_jsonl(kept, {"request": key, **asdict(answer)})
    known[key] = answer


def _read(kept: Path) -> dict[str, Answer]:
    """Request → answer. A line that a crash or a hand has damaged is passed over: its request is asked again."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        return {}
    with disk_errors(kept), kept.open("rb") as file:
        return dict(found for line in file if (found := _entry(line)))


def _entry(line: bytes) -> tuple[str, Answer] | None:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match value:
        case {"request": str(key), "text": str(text), "whole": bool(whole), "refused": str(refused)}:
            return key, Answer(text, whole, refused)
    return None
