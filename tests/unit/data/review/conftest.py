"""An invented prepared folder: tickets with doubts, repairs, drops and private data, written as the stage writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burnish.core.files import write_json, write_jsonl
from burnish.core.records import Changed, Chat, Dropped, Flagged, Message, Row
from burnish.core.run_folder import RunFolder
from burnish.data.card import DataCard, PartFacts, Private, Tokens
from burnish.data.shape import AnswerShape

LABELS = ("billing", "delivery", "praise")
EMAIL, CARD_NUMBER = "ann.miller@kestrel-post.net", "4111 1111 1111 1111"
PLACE = "messages.0.content"
TOKENS = Tokens(total=4000, shortest=12, median=20, p95=40, longest=90)


def ticket(number: int, text: str = "", answer: str = "") -> Chat:
    said = text or f"Order {number}: where is it, and when does it come?"
    messages = (Message("user", said), Message("assistant", answer or LABELS[number % 3]))
    return Chat(f"{number:016x}", messages, f"tickets.csv:{number + 2}", f"group {number // 2}")


def card(rows: int, **more: Any) -> DataCard:
    facts = PartFacts(rows=rows, groups=rows, tokens=TOKENS, learnt=800)
    return DataCard(
        sources=(), rows_in=rows, parts=dict.fromkeys(("train", "dev", "test"), facts), dropped={}, rows_cut=0,
        prompts_with_several_answers=0, own_test=False, shape=AnswerShape("label", LABELS), instructions=None, seed=0,
        context=2048, **more,
    )  # fmt: skip


Write = Callable[..., RunFolder]


@pytest.fixture
def write_folder(tmp_path: Path) -> Write:
    def write(
        rows: list[Row] | None = None,
        dropped: list[Dropped] | None = None,
        changed: list[Changed] | None = None,
        flagged: list[Flagged] | None = None,
        **more: Any,
    ) -> RunFolder:
        folder = RunFolder(tmp_path / "tickets")
        rows = rows or [ticket(number) for number in range(40)]
        for path, start in ((folder.train, 0), (folder.dev, 1), (folder.test, 2)):
            write_jsonl(path, (row.to_json() for row in (rows[2:] if start == 0 else rows[start - 1 : start])))
        for path, records in ((folder.dropped, dropped), (folder.changed, changed), (folder.flagged, flagged)):
            write_jsonl(path, (one.to_json() for one in records or ()))
        write_json(folder.data_card, card(len(rows), private=Private("report", ("email",)), **more).to_json())
        return folder

    return write


@pytest.fixture
def eventful(write_folder: Write) -> RunFolder:
    """Every kind of record, with private data in each place where it can stand."""
    rows: list[Row] = [ticket(number) for number in range(60)]
    rows[7] = ticket(7, f"Write to {EMAIL} please, my card is {CARD_NUMBER}.")
    rows[9] = ticket(9, "word " * 2000)
    near = ticket(100, f"Order 3 of {EMAIL}: where is it, and when does it comes?")
    return write_folder(
        rows,
        dropped=[
            Dropped("tickets.csv:71", "near_duplicate", "of tickets.csv:5", near.to_json()),
            Dropped("tickets.csv:72", "missing_field", "text", {"text": f"line\n{CARD_NUMBER}", "n": 1}),
            Dropped("tickets.csv:73", "not_csv", "", f"{EMAIL};;;"),
            Dropped("tickets.csv:74", "not_sampled"),
        ],
        changed=[
            Changed("tickets.csv:12", rows[10].id, "encoding_damage", PLACE, "the cafÃ© is", "the café is"),
            Changed("tickets.csv:9", rows[7].id, "control_characters", PLACE, f"a\u200b {EMAIL}", f"a {EMAIL}"),
        ],
        flagged=[
            Flagged("tickets.csv:9", rows[7].id, "private_email", f"{PLACE}, character 10"),
            Flagged("tickets.csv:9", rows[7].id, "private_card", f"{PLACE}, character 50"),
            Flagged("tickets.csv:10", rows[8].id, "private_name", f"{PLACE}, character 1"),
            Flagged("tickets.csv:11", rows[9].id, "length_outlier", "the prompt has 10,000 characters"),
            Flagged("tickets.csv:13", rows[11].id, "contradictory_answer", f"'billing' here, {EMAIL} elsewhere"),
        ],
    )  # fmt: skip
