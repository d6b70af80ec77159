"""Columns to group by and canaries pass through the data stage, each to where it belongs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from burnish.core.records import Chat, Row
from burnish.core.run_folder import RunFolder
from burnish.data.canaries import is_canary
from burnish.data.card import DataCard
from burnish.data.prepare import prepare
from burnish.data.rows import read_rows
from burnish.data.settings import DataSettings
from burnish.render.batch import Length


def lengths(rows: Iterable[Row]) -> Iterator[Length]:
    return (Length(20, 5) for _ in rows)


def prepared(folder: Path, name: str, columns: tuple[str, ...] = (), **settings: Any) -> tuple[DataCard, RunFolder]:
    rows = [
        {"prompt": f"Is {n} odd?", "completion": "odd" if n % 2 else "even", "region": ["north", "south"][n % 3 == 0]}
        for n in range(120)
    ]
    rows[0] |= {"region": None}
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = RunFolder(folder / name)
    card = prepare(
        DataSettings(train="rows.jsonl", test_share=0.2, **settings), run, base=folder, seed=0, context=400,
        lengths_of=lengths, say=lambda line: None, columns=columns,
    )  # fmt: skip
    return card, run


def meta(path: Path) -> list[dict[str, str]]:
    return [dict(row.meta) for row in read_rows(path) if isinstance(row, Chat)]


def test_columns_stay_with_the_rows_of_test_and_change_nothing_else(tmp_path: Path) -> None:
    _, with_column = prepared(tmp_path, "with", ("region",))
    _, without = prepared(tmp_path, "without")
    assert {row.get("region") for row in meta(with_column.test)} >= {"north", "south"}
    assert with_column.train.read_bytes() == without.train.read_bytes()
    assert with_column.dev.read_bytes() == without.dev.read_bytes()
    assert [row.id for row in read_rows(with_column.test)] == [row.id for row in read_rows(without.test)]
    assert not any(meta(without.test))


def test_canaries_stand_in_train_alone_and_are_counted(tmp_path: Path) -> None:
    card, run = prepared(tmp_path, "planted", canaries=7)
    plain, other = prepared(tmp_path, "plain")
    assert sum(map(is_canary, read_rows(run.train))) == 7
    assert run.train.read_text().startswith(other.train.read_text())
    assert run.dev.read_bytes() == other.dev.read_bytes()
    assert run.test.read_bytes() == other.test.read_bytes()
    assert card.made == {"canaries": 7}
    assert card.parts["train"].rows == plain.parts["train"].rows + 7 == len(read_rows(run.train))
    assert card.shape == plain.shape
    assert "7 more by planting canaries" in run.data_card.with_suffix(".md").read_text()
