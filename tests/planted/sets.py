"""The sets into which defects are planted, as rows, and sentences of other languages."""

from __future__ import annotations

import csv
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
