"""The sets into which defects are planted, as rows, and sentences of other languages."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

from burnish.core.records import Chat, Message, Row


def banking77(folder: Path) -> list[Row]:
    """Short questions of bank customers with one of 77 labels."""
    with (folder / "banking77" / "train.csv").open(newline="", encoding="utf-8") as file:
        return [
            _chat("banking77", number, row["text"], row["category"]) for number, row in enumerate(csv.DictReader(file))
        ]


def dolly(folder: Path) -> list[Row]:
    """Instructions with free answers."""
    lines = (folder / "dolly_hhrlhf_small" / "dolly_hhrlhf_train_small.jsonl").read_text("utf-8").split("\n")
    values = [json.loads(line) for line in lines if line]
    return [
        _chat("dolly", number, value["prompt"], value["response"])
        for number, value in enumerate(values)
        if value["response"].strip()
    ]


def foreign_sentences(folder: Path) -> list[list[str]]:
    """German, French and Spanish sentences, a list for each language."""
    return [_sentences(folder, language) for language in ("deu", "fra", "spa")]


def _sentences(folder: Path, language: str) -> list[str]:
    text = (folder / "tatoeba_laser" / f"tatoeba.{language}-eng.jsonl").read_text("utf-8")
    return [json.loads(line)[language] for line in text.split("\n") if line]


def _chat(name: str, number: int, prompt: str, answer: str) -> Chat:
    return Chat(f"{name}-{number}", (Message("user", prompt), Message("assistant", answer)), f"{name}:{number + 1}")


def as_raw(row: Row) -> dict[str, str]:
    """A line of a file that holds the row."""
    assert isinstance(row, Chat)
    return {"prompt": row.messages[0].content, "completion": row.answer}


def banking77_test(folder: Path) -> list[Row]:
    """The test that comes with the set."""
    with (folder / "banking77" / "test.csv").open(newline="", encoding="utf-8") as file:
        return [
            _chat("banking77-test", number, row["text"], row["category"])
            for number, row in enumerate(csv.DictReader(file))
        ]


def gsm8k(folder: Path, rows: int) -> list[Row]:
    """Sums told as stories, with their solutions: the first of them."""
    with gzip.open(folder / "gsm8k" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        values = [json.loads(line) for line, _ in zip(file, range(rows), strict=False)]
    return [_chat("gsm8k", number, value["question"], value["answer"]) for number, value in enumerate(values)]


def e2e(folder: Path, name: str) -> list[Row]:
    """Facts about restaurants, with several sentences that people wrote about the same facts."""
    with (folder / "e2e_nlg" / name).open(newline="", encoding="utf-8") as file:
        return [_chat("e2e", number, row["mr"], row["ref"]) for number, row in enumerate(csv.DictReader(file))]
