"""items.jsonl grows by whole chunks: an interrupted evaluation goes on where it stopped, with the same result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any

from burnish.core.files import disk_errors, dump_json, write_bytes
from burnish.core.records import Item
from burnish.evals.arms import ArmName, Models, Progress
from burnish.evals.progress import ticker
from burnish.model.decoder import Decoder

CHUNK = 128  # rows: what an interruption may cost, and as many as are answered together


@dataclass(frozen=True)
class Part:
    """All rows of one suite for one arm, and how some of them are answered: one item a row, in their order."""

    suite: str
    arm: ArmName
    rows: Sequence[Any]
    answer: Callable[[Decoder, ArmName, Sequence[Any], Progress], list[Item]]

    @property
    def chunks(self) -> list[Sequence[Any]]:
        return [self.rows[start : start + CHUNK] for start in range(0, len(self.rows), CHUNK)]


def answer_parts(path: Path, parts: Sequence[Part], models: Models, say: Callable[[str], None]) -> None:
    """Answers what items.jsonl does not hold yet. Raises Stopped: the disk is full."""
    done = _keep_whole_chunks(path, parts)
    for _, neighbours in groupby(_with_done(parts, done), key=lambda pair: models.weights(pair[0].arm)):
        open_parts = [(part, have) for part, have in neighbours if have < len(part.rows)]
        if open_parts:
            _answer_with_one_model(path, open_parts, models, say)


def _answer_with_one_model(
    path: Path, parts: Sequence[tuple[Part, int]], models: Models, say: Callable[[str], None]
) -> None:
    """Nothing of the model is left behind: the next one may need its room."""
    with models.of(parts[0][0].arm) as decoder:
        for part, have in parts:
            _answer_part(path, part, have, decoder, say)


def lines_before(path: Path, arm: ArmName) -> bytes:
    """The lines of items.jsonl that stand before the first one of an arm."""
    content = path.read_bytes() if path.exists() else b""
    kept = takewhile(lambda line: not _is_json(line) or json.loads(line).get("arm") != arm, content.splitlines(True))
    return b"".join(kept)


def _with_done(parts: Sequence[Part], done: int) -> Iterator[tuple[Part, int]]:
    """Each part with how many of its rows are answered; lines stand in the order of the parts."""
    for part in parts:
        have = min(done, len(part.rows))
        done -= have
        yield part, have


def _answer_part(path: Path, part: Part, have: int, decoder: Decoder, say: Callable[[str], None]) -> None:
    tick = ticker(say, f"{part.suite}, {part.arm}", len(part.rows), have)
    count = 0
    for chunk in part.chunks:
        count += len(chunk)
        if count <= have:
            continue
        items = part.answer(decoder, part.arm, chunk, _shifted(tick, count - len(chunk)))
        with disk_errors(path), path.open("a", encoding="utf-8") as file:
            file.writelines(dump_json(item.to_json()) + "\n" for item in items)
            file.flush()
            os.fsync(file.fileno())
        tick(count)


def _shifted(tick: Progress, before: int) -> Progress:
    """A chunk counts its own rows; those before it are added."""
    return lambda count: tick(before + count)


def _keep_whole_chunks(path: Path, parts: Sequence[Part]) -> int:
    """How many rows are answered. Cuts the file behind the last chunk that it holds whole.

    A chunk is answered again whole: rounding may depend on which rows are computed together.
    """
    content = path.read_bytes() if path.exists() else b""
    lines = content.split(b"\n")[:-1]  # what stands behind the last newline was not written to its end
    intact = next((number for number, line in enumerate(lines) if not _is_json(line)), len(lines))
    kept = 0
    for part in parts:
        for chunk in part.chunks:
            if kept + len(chunk) > intact:
                break
            kept += len(chunk)
        else:
            continue
        break
    whole = b"".join(line + b"\n" for line in lines[:kept])
    if content != whole or not path.exists():
        write_bytes(path, whole)
    return kept


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
