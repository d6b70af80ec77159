"""The shipped suites, which show whether the specialist still knows and does what the base model did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, TypeAlias

from burnish.core.files import sha256_of_json

SuiteName: TypeAlias = Literal["knowledge", "instructions", "general_text"]
SHORT: dict[SuiteName, int] = {"knowledge": 120, "instructions": 60, "general_text": 24}


@dataclass(frozen=True)
class Question:
    """A sentence to go on with: exactly one of the choices is right."""

    id: str
    prompt: str
    choices: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class Instruction:
    """A wish whose fulfilment a program can check; `checks` as burnish.graders.constraints reads them."""

    id: str
    prompt: str
    checks: tuple[dict[str, Any], ...]

    @property
    def expected(self) -> str:
        return json.dumps(self.checks, ensure_ascii=False)


@dataclass(frozen=True)
class Passage:
    """Plain text of general interest."""

    id: str
    text: str


SuiteItem: TypeAlias = Question | Instruction | Passage


def _lines(name: SuiteName) -> list[dict[str, Any]]:
    file = resources.files("burnish.evals") / "suites" / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def knowledge() -> list[Question]:
    """Facts and correct English, four choices each."""
    return [
        Question(line["id"], line["prompt"], tuple(line["choices"]), line["answer"]) for line in _lines("knowledge")
    ]


def instructions() -> list[Instruction]:
    """Short wishes about the form of an answer."""
    return [Instruction(line["id"], line["prompt"], tuple(line["checks"])) for line in _lines("instructions")]


def general_text() -> list[Passage]:
    """Passages of about 150 words."""
    return [Passage(line["id"], line["text"]) for line in _lines("general_text")]


def short_part(items: Sequence[SuiteItem], size: int) -> list[SuiteItem]:
    """The same part in every run, whatever its seed, so that short checks compare: first by the hash of ids."""
    chosen = sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).digest())[:size]
    kept = {item.id for item in chosen}
    return [item for item in items if item.id in kept]


def fingerprint() -> str:
    """Changes when an item of any suite changes."""
    return sha256_of_json({name: _lines(name) for name in SHORT})
