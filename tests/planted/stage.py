"""The whole stage on files with planted defects, and what it says of each of their lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from burnish.core.files import read_jsonl, write_jsonl
from burnish.core.records import Row
from burnish.core.run_folder import RunFolder
from burnish.data.prepare import prepare
from burnish.data.settings import DataSettings
from burnish.render.batch import Length
from tests.planted.sets import as_raw

LEAK, LEAK_DOUBT = "leak", "leak_doubt"
CERTAIN = {f"leak_{kind}" for kind in ("exact", "same_prompt", "near", "contained")}
CONTEXT = 100_000  # so long that no row is too long


def found_by_stage(rows: Sequence[Row], test: Sequence[Row], folder: Path, **settings: Any) -> set[tuple[int, str]]:
    """(index of the row of train, reason) of everything dropped, flagged or changed. All kinds of certain leaks are one
    reason, all doubts another.

    Raises AssertionError: the counts do not add up, or the card counts otherwise.
    """
    folder.mkdir(parents=True)
    write_jsonl(folder / "train.jsonl", map(as_raw, rows))
    write_jsonl(folder / "test.jsonl", map(as_raw, test))
    run = RunFolder(folder / "run")
    card = prepare(
        DataSettings(train="train.jsonl", test="test.jsonl", **settings), run,
        base=folder, seed=0, lengths_of=_lengths, context=CONTEXT, say=lambda text: None,
    )  # fmt: skip
    assert card.rows_in == len(rows) + len(test) == card.rows_written + card.rows_dropped
    found: set[tuple[int, str]] = set()
    for path, counted in ((run.dropped, card.dropped), (run.flagged, card.flagged), (run.changed, card.changed)):
        records = read_jsonl(path)
        assert len(records) == sum(sum(reasons.values()) for reasons in counted.values())
        found |= {place for one in records if (place := _place(one)) is not None}
    return found


def _place(record: dict[str, Any]) -> tuple[int, str] | None:
    file, _, line = record["source"].rpartition(":")
    reason = record["reason"]
    if reason.startswith("leak_"):
        reason = LEAK if reason in CERTAIN else LEAK_DOUBT
    return (int(line) - 1, reason) if file == "train.jsonl" else None


def _lengths(rows: Iterable[Row]) -> Iterator[Length]:
    return (Length(len(line := json.dumps(row.to_json())), len(line)) for row in rows)
