"""Long rows, weights, balance and order, through the whole stage."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from burnish.core.records import Chat, Row
from burnish.core.run_folder import RunFolder
from burnish.data.card import DataCard
from burnish.data.rows import read_rows
from tests.unit.data.test_prepare import run, tickets, write

CONTEXT = 1000  # characters, as `run` of the stage's tests counts them
LONG_TALK = {
    "messages": [
        message
        for turn in range(6)
        for message in ({"role": "user", "content": f"Question {turn} " + "word " * 50},
                        {"role": "assistant", "content": f"Reply {turn}."})
    ]
}  # fmt: skip


def written(folder: RunFolder) -> list[Row]:
    return [row for path in (folder.train, folder.dev, folder.test) for row in read_rows(path)]


def accounted(card: DataCard, folder: RunFolder) -> bool:
    lines = len(written(folder)) + len(folder.dropped.read_text("utf-8").splitlines())
    return lines == card.rows_in + card.rows_made == card.rows_written + card.rows_dropped


def chats(count: int) -> list[str]:
    talks = ([("user", f"Ticket {n}"), ("assistant", f"Answer {n}")] for n in range(count))
    return [json.dumps({"messages": [{"role": role, "content": text} for role, text in talk]}) for talk in talks]


@pytest.mark.parametrize(("policy", "answers"), [("drop", 0), ("cut", None), ("split", 6)])
def test_a_long_conversation_is_dropped_cut_or_split_and_every_row_accounted_for(
    tmp_path: Path, policy: str, answers: int | None
) -> None:
    train = write(tmp_path, "t.jsonl", [*chats(60), json.dumps(LONG_TALK)])
    own = {part: write(tmp_path, f"{part}.jsonl", tickets(20, at)) for part, at in (("dev", 300), ("test", 400))}
    card, folder = run(tmp_path, {"train": train, "longer": policy, **own})
    assert accounted(card, folder)
    said = [message.content for row in written(folder) if isinstance(row, Chat) for message in row.messages]
    kept = [text for text in said if text.startswith("Reply")]
    assert kept == [f"Reply {n}." for n in range(6 - len(kept), 6)]
    assert len(kept) == answers if answers is not None else 0 < len(kept) < 6
    assert max(card.parts["train"].tokens.longest, 0) <= CONTEXT
    assert (card.made.get("split", 0) > 0) == (policy == "split")


def test_an_item_of_the_test_is_never_split(tmp_path: Path) -> None:
    test = write(tmp_path, "test.jsonl", [*chats(20), json.dumps(LONG_TALK)])
    card, folder = run(
        tmp_path, {"train": write(tmp_path, "t.jsonl", tickets(60, 100)), "test": test, "longer": "split"}
    )
    assert accounted(card, folder)
    assert card.dropped["test"] == {"too_long": 1}


def mixed_sources(tmp_path: Path, **settings: Any) -> tuple[DataCard, RunFolder, Counter[str]]:
    own = {part: write(tmp_path, f"{part}.jsonl", tickets(20, at)) for part, at in (("dev", 300), ("test", 400))}
    card, folder = run(tmp_path, {**own, **settings})
    return card, folder, Counter(row.source.split(":")[0] for row in read_rows(folder.train))


def test_a_source_of_weight_two_stands_twice_and_one_of_a_half_by_half(tmp_path: Path) -> None:
    one, other = write(tmp_path, "a.jsonl", tickets(40)), write(tmp_path, "b.jsonl", tickets(30, 100))
    entries = [{"file": one, "weight": 0.5}, {"file": other, "weight": 2, "name": "faq"}]
    card, folder, counts = mixed_sources(tmp_path, train=entries)
    assert counts == {"a.jsonl": 20, "b.jsonl": 60}
    assert card.dropped["train"] == {"mixed_out": 20}
    assert card.made == {"repeated": 30}
    assert accounted(card, folder)
    assert any("faq: 30 rows of train are used 60 times" in seen.detail for seen in card.observations)
    rows = list(read_rows(folder.train))
    assert len({row.id for row in rows}) == len(rows)
    _, again, _ = mixed_sources(tmp_path / "..", train=[{**e, "file": str(tmp_path / e["file"])} for e in entries],
                                dev=str(tmp_path / "dev.jsonl"), test=str(tmp_path / "test.jsonl"))  # fmt: skip
    assert [row.id for row in read_rows(again.train)] == [row.id for row in rows]


def test_rare_labels_are_brought_up_to_the_commonest(tmp_path: Path) -> None:
    lines = [json.dumps({"prompt": f"Ticket {n}", "completion": "bug" if n % 4 else "wish"}) for n in range(80)]
    _, folder, _ = mixed_sources(tmp_path, train=write(tmp_path, "t.jsonl", lines), mix={"balance": "labels"})
    counts = Counter(row.answer for row in read_rows(folder.train) if isinstance(row, Chat))
    assert counts == {"bug": 60, "wish": 60}


def test_by_default_each_row_stands_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    card, folder, counts = mixed_sources(tmp_path, train=write(tmp_path, "t.jsonl", tickets(40)))
    assert (counts, card.made) == ({"t.jsonl": 40}, {})
    assert [row.source for row in read_rows(folder.train)] == [f"t.jsonl:{n}" for n in range(1, 41)]


def test_the_shorter_rows_stand_first_where_that_is_asked_for(tmp_path: Path) -> None:
    lines = [
        json.dumps({"prompt": f"Ticket {n} " + "x" * (n * 7 % 40), "completion": f"Answer {n}"}) for n in range(40)
    ]
    _, folder, _ = mixed_sources(tmp_path, train=write(tmp_path, "t.jsonl", lines), order="short_first")
    sizes = [len(json.dumps(row.to_json()["messages"])) for row in read_rows(folder.train)]
    assert sizes == sorted(sizes)
