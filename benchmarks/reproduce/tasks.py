"""The tasks of the reproductions: rows {prompt, completion} out of the folder that BURNISH_DATA names, parted once.

Rows with the same prompt stand on one side. Which rows are taken is a pure function of their texts.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inputs import RowFiles
from burnish.core.errors import BurnishError
from burnish.core.files import write_jsonl


@dataclass(frozen=True)
class Task:
    """Where rows come from and how many of them are used: fewer where they are long, so that a sweep takes an hour."""

    name: str
    read: Callable[[Path], Iterator[tuple[str, str]]]
    train: int = 800
    dev: int = 100
    test: int = 300


def _banking(folder: Path) -> Iterator[tuple[str, str]]:
    with (folder / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield f"Which intent does this message to a bank have?\n{row['text']}", row["category"]


def _e2e(folder: Path) -> Iterator[tuple[str, str]]:
    with (folder / "e2e_nlg" / "devset.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield f"Describe this restaurant in words.\n{row['mr']}", row["ref"]


def _dolly(folder: Path) -> Iterator[tuple[str, str]]:
    path = folder / "dolly_hhrlhf_small" / "dolly_hhrlhf_train_small.jsonl"
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        asked = row["prompt"].split("### Instruction:\n", 1)[-1].rsplit("### Response:", 1)[0].strip()
        yield asked, row["response"]


def _german(folder: Path) -> Iterator[tuple[str, str]]:
    for line in (folder / "tatoeba_laser" / "tatoeba.deu-eng.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        yield f"Translate into German: {row['en']}", row["deu"]


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("e2e", _e2e, train=400, dev=60, test=200),
        Task("banking77", _banking),
        Task("dolly", _dolly, train=350, dev=60, test=150),
        Task("german", _german, train=600, dev=60, test=200),
    )
}
MOST_ANSWERS = 3  # to one prompt, so that few prompts do not fill a part
LONGEST = 1500  # characters of a row: a few long ones would make every pass wait


def task_rows(work: Path, name: str) -> RowFiles:
    """The files of a task, written once. Raises BurnishError: BURNISH_DATA is not set."""
    task, root = TASKS[name], os.environ.get("BURNISH_DATA")
    if not root:
        raise BurnishError("These rows are not part of Burnish.", next_move="set BURNISH_DATA to the folder of data")
    folder = work / "tasks" / name
    paths = {part: folder / f"{part}.jsonl" for part in ("train", "dev", "test")}
    if not all(path.is_file() for path in paths.values()):
        folder.mkdir(parents=True, exist_ok=True)
        for part, rows in _parted(task, Path(root)).items():
            write_jsonl(paths[part], rows)
    return RowFiles(**paths, source=name)


def _parted(task: Task, root: Path) -> dict[str, list[dict[str, Any]]]:
    """Whole groups of one prompt, in the order of their hashes: to test, to dev, then to train."""
    groups: dict[str, list[str]] = {}
    for prompt, answer in task.read(root):
        if len(prompt) + len(answer) <= LONGEST:
            groups.setdefault(prompt, []).append(answer)
    order = sorted(groups, key=lambda prompt: hashlib.sha256(prompt.encode()).digest())
    parts: dict[str, list[dict[str, Any]]] = {"test": [], "dev": [], "train": []}
    wanted = {"test": task.test, "dev": task.dev, "train": task.train}
    for prompt in order:
        part = next((part for part in parts if len(parts[part]) < wanted[part]), None)
        if part is None:
            break
        room = wanted[part] - len(parts[part])
        parts[part] += [{"prompt": prompt, "completion": answer} for answer in groups[prompt][:MOST_ANSWERS][:room]]
    return parts
