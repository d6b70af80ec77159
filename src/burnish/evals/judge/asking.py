"""The judge as a function: what it reads → which answer it takes. Here one at an address, whose text is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from burnish.core.asking import Ask, Asked
from burnish.core.files import sha256_of_json
from burnish.core.records import Message
from burnish.evals.judge.prompt import VERSION
from burnish.evals.judge.settings import JudgeSettings

Choice: TypeAlias = Literal["A", "B", "tie"]
CHOICES: tuple[Choice, Choice, Choice] = ("A", "B", "tie")
LONGEST_RAW = 2000  # characters kept of a reply
LETTER = re.compile(
    r"\W*(?:the\s+)?(?:(?:final|better|my)\s+)?(?:(?:answer|verdict|choice)(?:\s+is)?\b)?\W*(a|b|c|tie)\b"
    r"(?:\s+is\s+better)?\W*",
    re.IGNORECASE,
)
THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """`says` is None where the reply cannot be read. `logprobs` are those of A, B and C in nats, of a local judge."""

    raw: str
    says: Choice | None
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Judge:
    """`identity`: its name with the hash of its files, or with its address."""

    identity: Mapping[str, str]
    ask: Callable[[Sequence[tuple[Message, ...]]], Iterable[Reply]]

    def hash(self, settings: JudgeSettings) -> str:
        """Changes with anything that a reply depends on, but not with where files lie or how fast a server is."""
        asked = {key: settings.model_dump()[key] for key in ("criteria", "reference", "max_new_tokens")}
        return sha256_of_json({"judge": dict(self.identity), "prompt": VERSION, **asked})


def served_judge(name: str, address: str, ask_server: Ask, max_new_tokens: int) -> Judge:
    """Reads the letter in the text that a server gives at temperature 0. Raises DataError: it cannot be asked."""

    def ask(asked: Sequence[tuple[Message, ...]]) -> Iterator[Reply]:
        for answer in ask_server([Asked(messages, max_new_tokens, 0.0, 0) for messages in asked]):
            if answer.refused:
                yield Reply(answer.refused[:LONGEST_RAW], None)
            else:
                yield Reply(answer.text[:LONGEST_RAW], read_choice(answer.text))

    return Judge({"name": name, "address": address}, ask)


def read_choice(text: str) -> Choice | None:
    """The letter in a reply: its last line must be that letter and no more than a word such as "Answer:" before it."""
    lines = [line for line in THOUGHT.sub("", text).splitlines() if line.strip()]
    found = LETTER.fullmatch(lines[-1]) if lines else None
    if found is None:
        return None
    choices: dict[str, Choice] = {"a": "A", "b": "B", "c": "tie", "tie": "tie"}
    return choices[found[1].lower()]
