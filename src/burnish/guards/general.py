"""The general rows that come with Burnish: short chats and passages of varied kinds, none of a retention suite."""

from __future__ import annotations

import json
from importlib import resources

from burnish.core.records import Chat, Row, Text, row_from_json


def general_rows() -> list[Chat | Text]:
    """All of them, mixed in kind, so that any first part has some of each."""
    file = resources.files("burnish.guards") / "general.jsonl"
    rows: list[Row] = [row_from_json(json.loads(line)) for line in file.read_text("utf-8").splitlines()]
    return [row for row in rows if isinstance(row, Chat | Text)]
