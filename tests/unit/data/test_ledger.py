import json
from pathlib import Path

import pytest

from burnish.core.records import Changed, Dropped, Flagged
from burnish.core.run_folder import RunFolder
from burnish.data.ledger import Ledger


def test_records_are_written_and_counted_by_part_and_reason(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with Ledger(folder) as ledger:
        ledger.drop("train", [Dropped("f:1", "not_json", "why", "{"), Dropped("f:2", "not_json")])
        ledger.flag("train", [Flagged("f:3", "id", "refusal")])
        ledger.change("dev", [Changed("f:4", "id", "line_ends", "text", "a\r\n", "a\n")])
    assert ledger.dropped == {"train": {"not_json": 2}}
    assert ledger.flagged == {"train": {"refusal": 1}}
    assert ledger.changed == {"dev": {"line_ends": 1}}
    assert [json.loads(line)["source"] for line in folder.dropped.read_text().splitlines()] == ["f:1", "f:2"]
    assert json.loads(folder.changed.read_text())["before"] == "a\r\n"


def test_nothing_is_left_of_a_stage_that_fails(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)

    def fail() -> None:
        with Ledger(folder) as ledger:
            ledger.drop("train", [Dropped("f:1", "not_json")])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert not folder.data.exists()


def test_a_row_that_no_file_can_hold_is_kept_with_escapes(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with Ledger(folder) as ledger:
        ledger.drop("train", [Dropped("f:1", "broken_character", "", {"text": "\ud800"})])
    assert json.loads(folder.dropped.read_text())["row"] == '{"text": "\\ud800"}'
