"""What a case is: a function that writes its files and says what must become of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

GOOD_ROWS = 40
NAME = "rows.jsonl"


@dataclass(frozen=True)
class Kept:
    """The command succeeds. `dropped` holds reason → places of exactly the rows left out, `changed` reason → repairs.

    A place is the number behind the file's name. `told` are words that the command has to say.
    """

    rows: int
    dropped: Mapping[str, Sequence[int]] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    told: Sequence[str] = ()


@dataclass(frozen=True)
class Refused:
    """The command ends with one of these codes and one error that holds these words."""

    words: Sequence[str]
    code: int | tuple[int, ...] = 3

    @property
    def codes(self) -> tuple[int, ...]:
        return (self.code,) if isinstance(self.code, int) else self.code


@dataclass(frozen=True)
class Survived:
    """The command does its work or refuses it plainly; either way `look` finds nothing wrong in the box after it."""

    look: Callable[[Path], Iterable[str]] | None = None
    code: int | None = None  # where it has to be this one


@dataclass(frozen=True)
class Limits:
    """The most that a case may take."""

    seconds: float = 10.0  # of processor time
    grown_bytes: int = 1 << 30


@dataclass(frozen=True)
class Made:
    """`data` is what `burnish prepare` is given, relative to the folder of the files; `settings` are its --set.

    `command` stands in place of that: the words after `burnish`, where {data}, {model} and {runs} are folders. `call`
    stands in place of both: a function that raises our errors as a command does.
    """

    data: str
    expected: Kept | Refused | Survived
    settings: Sequence[str] = ()
    command: Sequence[str] = ()
    call: Callable[[], object] | None = None
    limits: Limits = field(default_factory=Limits)
    writes: Sequence[str] = ("runs/r",)  # where it may write


Make: TypeAlias = Callable[[Path, Random], Made]
Odd: TypeAlias = Sequence[tuple[bytes, str]]  # (line, the reason for which it is dropped, or "")


@dataclass(frozen=True)
class Case:
    """`trap` says in a few words what is wrong with the files. With `run` a trained run lies ready as {runs}/r."""

    trap: str
    make: Make
    run: bool = False


def must(be: bool, said: str) -> None:
    """Raises AssertionError where something is not as it must be: under `python -O`, too, where `assert` is silent."""
    if not be:
        raise AssertionError(said)


def good_model(folder: Path) -> Path:
    """The tiny model that all cases share; `model.gguf` beside it is the same as one file."""
    return folder.parents[1] / "model"


def run_of(folder: Path) -> Path:
    """The trained run of a case that asks for one."""
    return folder.parent / "runs" / "r"


def row(number: int) -> dict[str, Any]:
    """A sound row: a ticket and its label."""
    return {"prompt": f"Ticket {number}", "completion": "bug" if number % 2 else "wish"}


def talk(*turns: tuple[str, Any], **more: Any) -> dict[str, Any]:
    """A conversation of (role, content)."""
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


def short_talk(number: int) -> dict[str, Any]:
    """`row` as a conversation."""
    return talk(("user", f"Ticket {number}"), ("assistant", "bug" if number % 2 else "wish"))


def line(value: Any) -> bytes:
    return json.dumps(value).encode()


def good_lines(of: Callable[[int], Any] = row) -> list[bytes]:
    return [line(of(number)) for number in range(GOOD_ROWS)]


def file_of(content: bytes, expected: Kept | Refused, name: str = NAME, settings: Sequence[str] = ()) -> Make:
    """A case of one file, the same for every seed."""

    def make(folder: Path, rng: Random) -> Made:
        (folder / name).write_bytes(content)
        return Made(name, expected, settings)

    return make


def among_good(
    odd: Odd,
    *,
    of: Callable[[int], Any] = row,
    changed: Mapping[str, int] | None = None,
    told: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> Make:
    """Lines at places of chance among 40 good ones; only those with a reason are dropped."""

    def make(folder: Path, rng: Random) -> Made:
        lines = [(good, "") for good in good_lines(of)]
        for one in odd:
            lines.insert(rng.randint(1, len(lines)), one)
        (folder / NAME).write_bytes(b"".join(content + b"\n" for content, _ in lines))
        reasons = places(reason for _, reason in lines)
        return Made(NAME, Kept(len(lines), reasons, changed or {}, told), settings)

    return make


def places(reasons: Iterable[str]) -> dict[str, list[int]]:
    """Reason → numbers, from 1, of the rows that have it."""
    found: dict[str, list[int]] = {}
    for number, reason in enumerate(reasons, start=1):
        if reason:
            found.setdefault(reason, []).append(number)
    return found
