from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.core.files import write_jsonl
from burnish.core.records import Chat, Message, Row, Text
from burnish.data.rows import read_rows


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    messages = (Message("user", "line\u2028separator\x85next"), Message("assistant", "a\r\nb"))
    rows: list[Row] = [Chat("1", messages, "f:1", "g"), Text("2", "text\x1c", "f:2", "h")]
    write_jsonl(tmp_path / "train.jsonl", (row.to_json() for row in rows))
    assert read_rows(tmp_path / "train.jsonl") == rows


def test_a_damaged_file_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"id": "1"}\n')
    with pytest.raises(BurnishError, match="burnish prepare"):
        read_rows(tmp_path / "train.jsonl")
