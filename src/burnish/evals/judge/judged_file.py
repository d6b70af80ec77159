"""judged.jsonl: a line a comparison and order, grown by whole chunks, so that an interrupted judging goes on."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from burnish.core.errors import BurnishError
from burnish.core.files import disk_errors, dump_json, read_jsonl, sha256_of_json, write_bytes
from burnish.core.records import Item, Message
from burnish.evals.judge.asking import Choice, Judge, Reply
from burnish.evals.judge.prompt import judge_messages
from burnish.evals.judge.settings import JudgeSettings
from burnish.evals.progress import ticker

Order: TypeAlias = Literal["specialist first", "opponent first", "equal answers"]
CHUNK = 16  # replies that an interruption may cost


@dataclass(frozen=True)
class Judged:
    """One reply of the judge. Equal answers are a tie of which nobody is asked."""

    item: str
    opponent: str
    order: Order
    again: bool  # asked a second time, to see whether the judge repeats itself
    raw: str
    says: Choice | None
    logprobs: tuple[float, ...]
    judge: str  # its hash, with all that a reply depends on
    request: str  # the hash of what it read; empty where nobody was asked

    @property
    def score(self) -> int | None:
        """1 where the specialist's answer is taken, -1 where the opponent's is, 0 for a tie; None: unreadable."""
        if self.says is None or self.says == "tie":
            return None if self.says is None else 0
        return 1 if (self.says == "A") == (self.order == "specialist first") else -1

    @staticmethod
    def from_json(value: Any) -> Judged:
        """The inverse of `asdict`."""
        return Judged(**{**value, "logprobs": tuple(value["logprobs"])})


@dataclass(frozen=True)
class Question:
    """One comparison in one order, before it is judged."""

    item: str
    opponent: str
    order: Order
    messages: tuple[Message, ...]
    again: bool = False

    @property
    def request(self) -> str:
        """The hash of what the judge reads."""
        return sha256_of_json([message.to_json() for message in self.messages]) if self.messages else ""


def questions(
    items: Sequence[Item], specialist: str, opponents: Sequence[str], settings: JudgeSettings, seed: int
) -> list[Question]:
    """All comparisons of the task in both orders, then the seeded sample that is asked again."""
    answers: dict[str, dict[str, Item]] = {}
    for item in items:
        if item.suite == "task":
            answers.setdefault(item.id, {})[item.arm] = item
    ids = list(answers)
    if settings.items is not None and settings.items < len(ids):
        ids = sorted(random.Random(f"{seed} judged").sample(ids, settings.items), key=ids.index)
    asked = [
        one
        for name in ids
        for opponent in opponents
        for one in _both_orders(answers[name][specialist], answers[name][opponent], settings)
    ]
    first = [one for one in asked if one.order == "specialist first"]
    sample = random.Random(f"{seed} again").sample(first, min(settings.repeat, len(first)))
    return asked + [Question(one.item, one.opponent, one.order, one.messages, again=True) for one in sample]


def _both_orders(ours: Item, theirs: Item, settings: JudgeSettings) -> list[Question]:
    if ours.output.strip() == theirs.output.strip():
        return [Question(ours.id, theirs.arm, "equal answers", ())]
    reference = ours.expected or "" if settings.reference else ""
    orders: tuple[tuple[Order, Item, Item], ...] = (
        ("specialist first", ours, theirs),
        ("opponent first", theirs, ours),
    )
    return [
        Question(
            ours.id,
            theirs.arm,
            order,
            judge_messages(ours.prompt, one.output, two.output, criteria=settings.criteria, reference=reference),
        )
        for order, one, two in orders
    ]


def judge_all(path: Path, asked: Sequence[Question], judge: Judge, mark: str, say: Callable[[str], None]) -> None:
    """Asks what judged.jsonl does not hold yet; `mark` is the judge's hash.

    Raises DataError: the judge cannot be reached; what was judged is kept. Stopped: the disk is full.
    """
    done = _keep_whole_chunks(path, asked, mark)
    tick = ticker(say, "judged", len(asked), done)
    for start in range(done, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        lines = [dump_json(asdict(one)) + "\n" for one in _judged(chunk, judge, mark)]
        with disk_errors(path), path.open("a", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        tick(start + len(chunk))


def _judged(chunk: Sequence[Question], judge: Judge, mark: str) -> Iterator[Judged]:
    replies = iter(judge.ask([one.messages for one in chunk if one.messages]))
    for one in chunk:
        reply = next(replies) if one.messages else Reply("", "tie")
        yield Judged(
            one.item, one.opponent, one.order, one.again, reply.raw, reply.says, reply.logprobs, mark, one.request
        )


def _keep_whole_chunks(path: Path, asked: Sequence[Question], mark: str) -> int:
    """How many questions are judged, by this judge. Cuts the file behind the last chunk that it holds whole."""
    content = path.read_bytes() if path.exists() else b""
    lines = content.split(b"\n")[:-1]  # what stands behind the last newline was not written to its end
    have = 0
    for line, one in zip(lines, asked, strict=False):
        if _place(line) != (one.item, one.opponent, one.order, one.again, mark, one.request):
            break
        have += 1
    kept = have if have == len(asked) else have // CHUNK * CHUNK
    whole = b"".join(line + b"\n" for line in lines[:kept])
    if content != whole or not path.exists():
        write_bytes(path, whole)
    return kept


def _place(line: bytes) -> tuple[Any, ...] | None:
    try:
        one = Judged.from_json(json.loads(line))
    except (ValueError, TypeError, KeyError):
        return None
    return one.item, one.opponent, one.order, one.again, one.judge, one.request


def read_judged(path: Path) -> list[Judged]:
    """The lines of judged.jsonl; none where there is no such file. Raises BurnishError: a line is no reply."""
    if not path.exists():
        return []
    try:
        return [Judged.from_json(line) for line in read_jsonl(path)]
    except (TypeError, KeyError) as error:
        raise BurnishError(
            "A line is not a judge's reply.",
            where=str(path),
            seen=str(error)[:80],
            next_move="run `burnish evaluate` again",
        ) from error
