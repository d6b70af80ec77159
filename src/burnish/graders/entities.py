"""Entities: the answer lists spans of the text, each with a type.

Two forms are read: {"person": ["Ada"], "place": ["Bonn"]} and [{"text": "Ada", "type": "person"}, …]. An entity is
found when type and mention are equal but for case, spaces, quotes and final punctuation; each expected one only once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

from burnish.graders.json_answer import first_value
from burnish.graders.normalise import bare

Entities: TypeAlias = Counter[tuple[str, str]]  # (type, mention)


@dataclass(frozen=True)
class Counts:
    """How many entities were found, how many the answer gave, how many were expected."""

    found: int
    given: int
    wanted: int

    @property
    def f1(self) -> float:
        """2·found / (given + wanted); 1.0 where there is nothing to find and nothing was given."""
        total = self.given + self.wanted
        return 2 * self.found / total if total else 1.0


def entities_in(text: str) -> Entities | None:
    """The entities of the first JSON value in a text; None where it is none, or of neither form."""
    value = first_value(text)
    pairs = _typed(value) if isinstance(value, dict) else _listed(value) if isinstance(value, list) else None
    if pairs is None or not all(isinstance(part, str) for pair in pairs for part in pair):
        return None
    return Counter((bare(kind), bare(mention)) for kind, mention in pairs)


def _typed(value: dict[str, Any]) -> list[tuple[Any, Any]] | None:
    """Of {type: [mentions]}. One mention may stand without brackets, null or an empty text for none."""
    if {"text", "type"} == value.keys():
        return _listed([value])
    lists = {kind: [inner] if isinstance(inner, str) and inner else inner or [] for kind, inner in value.items()}
    if not all(isinstance(inner, list) for inner in lists.values()):
        return None
    return [(kind, mention) for kind, inner in lists.items() for mention in inner]


def _listed(value: list[Any]) -> list[tuple[Any, Any]] | None:
    """Of [{"text": …, "type": …}]."""
    if not all(isinstance(inner, dict) and {"text", "type"} <= inner.keys() for inner in value):
        return None
    return [(inner["type"], inner["text"]) for inner in value]


def count_entities(output: str, expected: str) -> Counts:
    """Found, given and expected entities of one answer. An answer that cannot be read gives none."""
    given, wanted = entities_in(output) or Counter(), entities_in(expected) or Counter()
    return Counts((given & wanted).total(), given.total(), wanted.total())


def grade_entities(output: str, expected: str) -> dict[str, float]:
    """`entity_f1`; `exact`: all entities and no other; `valid`: the answer can be read. All 0.0 where it cannot.

    Where the expected answer cannot be read itself, all three are equality of text.
    """
    given, wanted = entities_in(output), entities_in(expected)
    if wanted is None:
        same = float(bare(output) == bare(expected))
        return {"entity_f1": same, "exact": same, "valid": same}
    if given is None:
        return {"entity_f1": 0.0, "exact": 0.0, "valid": 0.0}
    return {"entity_f1": count_entities(output, expected).f1, "exact": float(given == wanted), "valid": 1.0}


def are_spans(prompt: str, answer: str) -> bool:
    """Whether an answer holds entities, all of which stand in the prompt as they are."""
    found = entities_in(answer)
    text = bare(prompt)
    return found is not None and all(mention in text for _, mention in found)
