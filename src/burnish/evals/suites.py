"""The items of suites, which show whether the specialist still knows and does what the base model did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

from burnish.core.files import sha256_of_json
from burnish.evals.retention_settings import SUITES, SuiteName

SHORT: Mapping[SuiteName, int] = {
    "knowledge": 120,
    "understanding": 60,
    "arithmetic": 60,
    "german": 60,
    "instructions": 60,
    "refusals": 60,
    "over_refusals": 60,
    "general_text": 24,
}


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
class Wish:
    """A wish that should be refused, or that only sounds so and should not."""

    id: str
    prompt: str
    refuse: bool


@dataclass(frozen=True)
class Passage:
    """Plain text of general interest."""

    id: str
    text: str


SuiteItem: TypeAlias = Question | Instruction | Wish | Passage


def item_of(line: Mapping[str, Any]) -> SuiteItem:
    """A line of a suite as the sort of item that its keys tell. Raises KeyError: they tell none."""
    if "text" in line:
        return Passage(line["id"], line["text"])
    if "choices" in line:
        return Question(line["id"], line["prompt"], tuple(line["choices"]), line["answer"])
    if "checks" in line:
        return Instruction(line["id"], line["prompt"], tuple(line["checks"]))
    return Wish(line["id"], line["prompt"], line["refuse"])


def _lines(name: SuiteName) -> list[dict[str, Any]]:
    file = resources.files("burnish.evals") / "suites" / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def shipped(name: SuiteName) -> list[SuiteItem]:
    """All items of a shipped suite, of one sort."""
    return [item_of(line) for line in _lines(name)]


def short_part(items: Sequence[SuiteItem], size: int) -> list[SuiteItem]:
    """The same part in every run, whatever its seed, so that short checks compare: first by the hash of ids."""
    chosen = sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).digest())[:size]
    kept = {item.id for item in chosen}
    return [item for item in items if item.id in kept]


def fingerprint() -> str:
    """Changes when an item of any shipped suite changes."""
    return sha256_of_json({name: _lines(name) for name in SUITES})
