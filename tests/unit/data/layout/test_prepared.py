"""Every kind of row goes through the whole stage and comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from burnish.core.records import Chat, Prompt, Rated
from burnish.core.run_folder import RunFolder
from burnish.data.prepare import prepare
from burnish.data.rows import read_rows
from burnish.data.settings import DataSettings
from burnish.render.batch import Length

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {}}}]


def calling(number: int) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": json.dumps({"n": number})}}
    turns = [
        {"role": "user", "content": f"question {number}"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": f"result {number}"},
        {"role": "assistant", "content": f"answer {number}"},
    ]
    return {"messages": turns, "tools": TOOLS}


def rated(number: int) -> dict[str, Any]:
    return {"prompt": f"question {number}", "completion": f"answer {number}", "label": number % 2 == 0}


def asked(number: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": f"question {number}"}], "reference_answer": number}


@pytest.mark.parametrize(("made", "kind"), [(calling, Chat), (rated, Rated), (asked, Prompt)])
def test_rows_with_tools_ratings_and_references_are_written_and_read(tmp_path: Path, made: Any, kind: type) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(made(number)) + "\n" for number in range(30)))
    folder = RunFolder(tmp_path / "run")
    folder.create()
    said: list[str] = []

    card = prepare(
        DataSettings(train="rows.jsonl"),
        folder,
        base=tmp_path,
        seed=0,
        context=90,
        say=said.append,
        lengths_of=lambda rows: (Length(10, 5) for _ in rows),
    )
    rows = [row for path in (folder.train, folder.dev, folder.test) for row in read_rows(path)]
    assert card.rows_in == card.rows_written == len(rows) == 30
    assert {type(row) for row in rows} == {kind}
    assert len({row.id for row in rows}) == len({row.group for row in rows}) == 30
    assert "question 0" in said[0]
    if kind is Chat:
        assert all(isinstance(row, Chat) and row.tools and row.messages[1].tool_calls for row in rows)
