"""The rows of the benchmarks: files that both sides are made from, the same on every machine."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.common import REPOSITORY
from burnish.core.files import write_jsonl

HELD_OUT = 20  # rows of dev and of test each, which training needs to have; neither is timed
LONGEST_PAIR = 900  # characters of question and answer: with another's answer still under 512 tokens


@dataclass(frozen=True)
class RowFiles:
    """Files for a recipe's `data`, and where their rows come from."""

    train: Path
    dev: Path
    test: Path
    source: str

    def recipe(self) -> dict[str, str]:
        """The `data` group of a recipe."""
        return {"train": str(self.train), "dev": str(self.dev), "test": str(self.test)}


def answer_rows(work: Path, count: int) -> RowFiles:
    """Rows {prompt, completion}: GSM8K out of the folder that BURNISH_DATA names, else the example's tickets."""
    return _write(work, "answers", [{"prompt": prompt, "completion": answer} for prompt, answer in _asked(count)])


def pair_rows(work: Path, count: int) -> RowFiles:
    """Rows {prompt, chosen, rejected}: the right answer, and the answer to the question seven rows on."""
    asked = [(prompt, answer) for prompt, answer in _asked(3 * count) if len(prompt) + len(answer) <= LONGEST_PAIR]
    asked = asked[: count + 2 * HELD_OUT]
    others = [asked[(number + 7) % len(asked)][1] for number in range(len(asked))]
    rows = [
        {"prompt": prompt, "chosen": answer, "rejected": other}
        for (prompt, answer), other in zip(asked, others, strict=True)
    ]
    return _write(work, "pairs", rows)


def _write(work: Path, kind: str, rows: Sequence[dict[str, Any]]) -> RowFiles:
    """The last rows become dev and test. Written once; the same rows give the same files."""
    count, source = len(rows) - 2 * HELD_OUT, _source()
    folder = work / "data" / f"{kind}-{Path(source).stem}"
    parts = {"train": rows[:count], "dev": rows[count : count + HELD_OUT], "test": rows[count + HELD_OUT :]}
    paths = {name: folder / f"{name}.jsonl" for name in parts}
    for name, part in parts.items():
        write_jsonl(paths[name], part)
    return RowFiles(**paths, source=source)


def _asked(count: int) -> list[tuple[str, str]]:
    """(question, answer) of `count` training rows and those that are held out; fewer where the file has fewer."""
    rows = islice(_gsm8k() if os.environ.get("BURNISH_DATA") else _tickets(), count + 2 * HELD_OUT)
    return list(rows)


def _source() -> str:
    return "gsm8k" if os.environ.get("BURNISH_DATA") else "examples/support/tickets.jsonl"


def _gsm8k() -> Iterator[tuple[str, str]]:
    with gzip.open(Path(os.environ["BURNISH_DATA"]) / "gsm8k" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield row["question"], row["answer"]


def _tickets() -> Iterator[tuple[str, str]]:
    with (REPOSITORY / "examples" / "support" / "tickets.jsonl").open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield row["prompt"], row["completion"]


def varied_rows(count: int) -> Iterator[dict[str, str]]:
    """Any number of short rows, no two alike: the tickets again and again, each with a number of its own."""
    tickets = list(_tickets())
    for number in range(count):
        prompt, answer = tickets[number % len(tickets)]
        yield {"prompt": f"Case {number}: {prompt}", "completion": answer}
